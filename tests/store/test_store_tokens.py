"""Tokens of back-end systems: kept, ended for good, and when a credential was used last."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.credentials import Scope
from gateway.errors import PolicyViolation
from gateway.ports.tokens import TokenEnd, Use
from gateway.rules.tokens import KeptToken
from tests.store.stage import POLITIE, START

ONE, TWO = "1" * 64, "2" * 64
TOKEN = KeptToken(
    sha256=ONE,
    backend="bvh",
    party=POLITIE,
    scopes=frozenset({Scope.HAND_IN, Scope.READ}),
    valid_until=START + timedelta(days=30),
    made_at=START,
    made_by="bea",
    seal="zegel",
)
END = TokenEnd(sha256=ONE, backend="bvh", at=START, who="bea", why="gelekt")


async def told(stage) -> list:
    rows = await stage.store.reader.audit(after=0, limit=50)
    return [row.event for row in rows if row.event.event.startswith("console.token")]


async def test_it_is_kept_as_it_was_made_and_every_process_hears_it(stage):
    await stage.store.epoch_bell.wait(0.01)  # what rang before
    newer = replace(TOKEN, sha256=TWO, made_at=START + timedelta(days=1), replaces=ONE)

    await stage.store.tokens.make(TOKEN, most=8)
    assert await stage.store.epoch_bell.wait(5)
    await stage.store.tokens.make(newer, most=8)

    assert await stage.store.tokens.kept() == (newer, TOKEN)
    first, second = await told(stage)
    assert (first.event, first.actor, first.party) == ("console.token_made", "bea", POLITIE)
    assert first.data["token"] == ONE[:12]
    assert first.data["scopes"] == "berichten:aanleveren berichten:lezen"
    assert second.data["replaces"] == ONE[:12]


async def test_one_more_than_may_count_is_refused_until_one_ends(stage):
    await stage.store.tokens.make(TOKEN, most=1)
    with pytest.raises(PolicyViolation, match="genoeg tokens") as caught:
        await stage.store.tokens.make(replace(TOKEN, sha256=TWO), most=1)
    assert caught.value.code == "systeem.token.veel"

    await stage.store.tokens.make(replace(TOKEN, sha256="3" * 64, backend="ander"), most=1)
    await stage.store.tokens.end(END)
    await stage.store.tokens.make(replace(TOKEN, sha256=TWO), most=1)


async def test_one_that_expired_takes_no_place(stage):
    await stage.store.tokens.make(TOKEN, most=1)
    stage.clock.forward(days=30)

    await stage.store.tokens.make(
        replace(TOKEN, sha256=TWO, valid_until=stage.clock.now() + timedelta(days=1)), most=1
    )


async def test_it_ends_once_and_every_process_hears_it(stage):
    await stage.store.epoch_bell.wait(0.01)

    await stage.store.tokens.end(END)
    assert await stage.store.epoch_bell.wait(5)
    await stage.store.tokens.end(replace(END, who="ander", why="nog eens"))

    assert await stage.store.tokens.ends() == (END,)
    (event,) = await told(stage)
    assert (event.event, event.actor, event.data["reason"]) == (
        "console.token_ended",
        "bea",
        "gelekt",
    )


async def test_it_stays_ended_after_the_restore_of_an_older_database(stage):
    await stage.store.tokens.make(TOKEN, most=8)
    await stage.store.tokens.end(END)
    stage.raw("DELETE FROM token_ends")

    assert await stage.store.tokens.ends() == ()
    assert await stage.store.tokens.ended({ONE, TWO}) == {ONE}


async def test_the_last_use_is_the_latest_of_all_processes(stage):
    later = START + timedelta(minutes=5)

    await stage.store.tokens.used([Use(TWO, START), Use(ONE, later)])
    await stage.store.tokens.used([Use(ONE, START), Use(TWO, later)])
    await stage.store.tokens.used([])

    assert await stage.store.tokens.uses() == {ONE: later, TWO: later}
