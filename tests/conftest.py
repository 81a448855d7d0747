import itertools
import os
from pathlib import Path
from shutil import disk_usage

import pytest

from gateway.cli.demo.postgres import Postgres
from gateway.store import postgres as databases
from gateway.store.migrations import upgrade

_NUMBERS = itertools.count(1)
# Nothing here outlives the run, so nothing needs to wait for the disk.
QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


MEMORY = Path("/dev/shm")
ROOM = 4_000_000_000
"""Octets; four workers have a server each."""


def in_memory() -> Path | None:
    """Say where files never meet a disk; None = here is no such place, or it is too small.

    A database is hundreds of files, and each test has one: a disk is slow to make and lose them.
    """
    there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return MEMORY if there and disk_usage(MEMORY).free > ROOM else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One more than there are processors: some tests only wait for another process."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL, for as long as the tests run."""
    server = Postgres.make(settings=QUICK, under=in_memory())
    yield server
    server.remove()


@pytest.fixture(scope="session")
def empty_postgres(postgres):
    """The name of a database with its tables, on the server of the tests."""
    upgrade(databases.Postgres(postgres.create("empty")))
    return "empty"


@pytest.fixture
def made_on_postgres(postgres, empty_postgres):
    """Make a database, tables included; return its URL. It is there as long as the test."""
    names = []

    def make():
        names.append(f"test_{next(_NUMBERS)}")
        return postgres.create(names[-1], template=empty_postgres)

    yield make
    for name in names:
        postgres.drop(name)
