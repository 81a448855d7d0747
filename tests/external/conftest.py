"""`--vectors DIR`: the folder with third-party data. Without it there is nothing to prove."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--vectors", metavar="DIR", help="folder with third-party data (required)")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--vectors"):
        raise pytest.UsageError("tests/external needs --vectors DIR")


@pytest.fixture(scope="session")
def vectors(pytestconfig: pytest.Config) -> Path:
    """The folder; a missing one fails the test, as does a missing file in it."""
    folder = Path(pytestconfig.getoption("--vectors")).resolve()
    assert folder.is_dir(), f"{folder} is not a folder"
    return folder
