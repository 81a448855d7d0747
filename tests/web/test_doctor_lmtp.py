"""What `gateway doctor` says of the socket on which mail comes in."""

import grp
import os
from contextlib import closing

import pytest

from gateway.cli.doctor_findings import Severity
from gateway.cli.doctor_lmtp import socket_at
from gateway.web import unix_socket


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lmtp.sock"


def test_a_place_where_a_socket_can_come_is_good(path):
    assert socket_at(path, grp.getgrgid(os.getegid()).gr_name, running=False).severity is (
        Severity.GOOD
    )


def test_a_socket_that_somebody_serves_is_good(path):
    with closing(unix_socket.bind(path)) as listener:
        listener.listen()
        assert socket_at(path, "", running=True).severity is Severity.GOOD


def test_a_running_process_that_does_not_listen_is_told(path):
    found = socket_at(path, "", running=True)
    assert (found.severity, found.code) == (Severity.WARN, "lmtp.silent")


@pytest.mark.parametrize(
    ("below", "group", "code"),
    [("nergens/", "", "lmtp.folder"), ("", "bestaat-niet", "lmtp.group")],
)
def test_what_stops_it_is_found_before_the_start(path, below, group, code):
    found = socket_at(path.parent / f"{below}lmtp.sock", group, running=False)
    assert (found.severity, found.code) == (Severity.BAD, code)
    assert found.remedy
