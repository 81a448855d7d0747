from collections.abc import Iterator

import pytest

from tests.interop.crossing import Places
from tests.interop.santuario import Santuario


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """Two parties, played by one Java process for the whole run."""
    java = Santuario.start()
    try:
        yield Places.open(java)
    finally:
        java.close()
