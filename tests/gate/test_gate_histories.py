"""No path to sealed for a message that needs a word of the OM without one."""

import os
from collections import Counter

from tests.gate.gate_histories import play

HISTORIES = int(os.environ.get("GATE_HISTORIES", "100000"))


def test_a_hundred_thousand_lives_of_messages():
    seen: Counter[str] = Counter()
    for seed in range(HISTORIES):
        seen += play(seed)

    assert seen["sealed doorlopend"] > HISTORIES / 20
    assert seen["sealed individueel"] > HISTORIES / 50
    assert seen["sealed niet-gegate"] > HISTORIES / 20
    assert seen["decision refused"] > HISTORIES / 20
    assert seen["held again"] > HISTORIES / 50
    assert seen["refused"] > HISTORIES / 20
