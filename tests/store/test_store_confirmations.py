"""What the OM confirmed is written down once, and an older word never comes back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Misconfigured
from gateway.ports import FRAMEWORK
from gateway.store.confirmations import PLACED, SIGNED, TAKEN, Mark
from tests.parties import CONFIRMATION

LATER = replace(
    CONFIRMATION,
    id="B-2",
    sha256="cd" * 32,
    taken_at=CONFIRMATION.taken_at + timedelta(seconds=1),
)


async def rows(stage, event):
    found = await stage.store.reader.audit(after=0, limit=500)
    return [row.event for row in found if row.event.event == event]


async def older(stage, confirmation) -> str:
    with pytest.raises(Misconfigured) as refused:
        await stage.store.confirmations.take_in(confirmation)
    return refused.value.code


async def test_a_word_is_written_down_once_with_all_that_it_says(stage):
    assert await stage.store.confirmations.newest() is None

    for _ in range(3):
        await stage.store.confirmations.take_in(CONFIRMATION)

    (row,) = await rows(stage, TAKEN)
    assert (row.message, row.party) == (FRAMEWORK, CONFIRMATION.police)
    assert row.data["sha256"] == CONFIRMATION.sha256
    assert row.data["officer"] == CONFIRMATION.officer
    assert await stage.store.confirmations.newest() == Mark(
        CONFIRMATION.taken_at, CONFIRMATION.sha256
    )


async def test_an_older_word_does_not_come_back(stage):
    await stage.store.confirmations.take_in(CONFIRMATION)
    await stage.store.confirmations.take_in(LATER)

    assert await older(stage, CONFIRMATION) == "gate.confirmation.older"
    await stage.store.confirmations.take_in(LATER)
    assert len(await rows(stage, TAKEN)) == 2


async def test_of_one_moment_there_is_one_word(stage):
    await stage.store.confirmations.take_in(CONFIRMATION)
    twin = replace(CONFIRMATION, sha256="ef" * 32)

    assert await older(stage, twin) == "gate.confirmation.older"


async def test_who_placed_and_who_signed_is_written_down_and_everybody_looks(stage):
    heard = stage.store.epoch_bell

    await stage.store.confirmations.placed("ab" * 32, who="jansen", why="nieuw kader")
    await stage.store.confirmations.signed("cd" * 32, who="anders", why="voor de politie")

    assert await heard.wait(0.5)
    (placed,), (signed,) = await rows(stage, PLACED), await rows(stage, SIGNED)
    assert (placed.actor, placed.data["sha256"]) == ("jansen", "ab" * 32)
    assert (signed.actor, signed.data["reason"]) == ("anders", "voor de politie")


async def test_the_mark_is_part_of_the_chain(stage):
    await stage.store.confirmations.take_in(CONFIRMATION)
    await stage.store.confirmations.take_in(LATER)

    assert await stage.store.verify_chain() is None
