import os

import pytest

from gateway.cli.demo.postgres import Postgres

# Nothing here outlives the run, so nothing needs to wait for the disk.
QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One more than there are processors: some tests only wait for another process."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL, for as long as the tests run."""
    server = Postgres.make(settings=QUICK)
    yield server
    server.remove()
