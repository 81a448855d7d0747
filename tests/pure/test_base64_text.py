import tracemalloc
from base64 import b64encode

import pytest

from gateway.wire.base64_text import unbase64

OCTETS = bytes(range(256)) * 4_000


@pytest.mark.parametrize("width", [4, 76, len(OCTETS) * 2])
def test_however_it_is_broken_it_takes_a_few_times_its_size(width):
    """A document of 35 MB with a line end behind every four characters took 500 MB of pieces."""
    whole = b64encode(OCTETS).decode()
    text = "\r\n".join(whole[at : at + width] for at in range(0, len(whole), width))
    tracemalloc.start()
    try:
        found = unbase64(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found == OCTETS
    assert peak < 4 * len(text)


@pytest.mark.parametrize("text", ["A", "AA=A", "A===", "AÁAA", "AA\x0bAA", "QUJD!", "QQ==QQ=="])
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match="not base64"):
        unbase64(text)
