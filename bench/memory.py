"""Resident memory of a process, from /proc (Linux), in megabytes of 1,000,000 octets."""

from pathlib import Path

_KIB = 1_024
_MEGA = 1_000_000
_ONLY_THE_PEAK = "5"
"""proc(5), clear_refs."""


def resident(pid: int) -> float:
    """Return what the process has in memory now."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """Return the most that it had since `forget_peak`, or since it began."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Begin the peak anew, at what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text(_ONLY_THE_PEAK)


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(value) * _KIB / _MEGA
