"""What a large message took goes back to the system when it is done."""

import os
from pathlib import Path

from gateway import heap

MB = 1_000_000


def resident():
    """Return what this process has in memory, in octets."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_what_is_large_goes_back_when_it_is_free():
    heap.bound()
    _first = b"x" * (30 * MB)  # left alone, glibc takes this for a reason to keep more
    del _first
    before = resident()
    pieces = [b"x" * MB for _ in range(60)]
    behind = b"y" * 100_000
    assert resident() > before + 50 * MB

    pieces.clear()

    assert behind
    assert resident() < before + 10 * MB


def test_what_is_free_between_what_is_not_goes_back_when_asked():
    before = resident()
    pieces = [b"x" * 1_000 + b"%d" % n for n in range(90_000)]
    left = pieces[::100]
    assert resident() > before + 50 * MB
    pieces.clear()

    heap.give_back()

    assert len(left) == 900
    assert resident() < before + 10 * MB
