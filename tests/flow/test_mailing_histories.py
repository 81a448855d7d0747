"""Whatever goes wrong: taken in once or a person is told, never unproved, never what is held."""

import os
from collections import Counter

from tests.flow.mailing_histories import MESSAGES, play

HISTORIES = 1_000 if os.environ.get("ALL_HISTORIES") else 40
"""`make histories` plays them all."""


async def test_lives_of_messages_that_may_go_by_mail(tmp_path):
    seen: Counter[str] = Counter()
    for seed in range(HISTORIES // MESSAGES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        await play(folder, seed, seen)

    print(dict(seen))
    assert seen["taken in"] > HISTORIES / 2
    assert seen["by mail"] > HISTORIES / 10
    assert seen["held"] > HISTORIES / 20
    assert seen["told a person"] > HISTORIES / 100
