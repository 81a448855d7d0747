"""A port is given out once, whoever asks on this machine."""

import subprocess
import sys

import pytest

from gateway.cli.demo.ports import free_ports

_AMONG = range(19_900, 19_990)
_OTHER = "from gateway.cli.demo.ports import free_ports as f; print(*f(40, among=range({}, {})))"


def test_no_port_is_given_twice() -> None:
    mine = list(free_ports(20, among=_AMONG))
    again = list(free_ports(20, among=_AMONG))
    program = [sys.executable, "-c", _OTHER.format(_AMONG.start, _AMONG.stop)]
    others = subprocess.run(program, check=True, capture_output=True, text=True).stdout.split()
    given = [*mine, *again, *map(int, others)]
    assert len(given) == len(set(given)) == 80


def test_too_few_are_told() -> None:
    with pytest.raises(OSError, match="no port is free"):
        list(free_ports(3, among=range(19_990, 19_992)))
