"""A token of the console lets a system in from the next reading of the directory on."""

from dataclasses import replace

import pytest

from gateway.app import SystemClock, SystemDice, open_store
from gateway.credentials import Scope
from gateway.installation import load_installation
from gateway.keys.console_key import load_console_key
from gateway.pipeline.systems import Systems
from gateway.ports.tokens import TokenEnd
from gateway.snapshots import FileSnapshots
from tests.installations import TOKEN_SHA256, installed


@pytest.fixture
async def reading(tmp_path):
    """Return store, snapshots and the office of an installation on disk."""
    folder = installed(tmp_path / "politie")
    installation = load_installation(folder)
    clock, dice = SystemClock(), SystemDice()
    store = open_store(installation, clock, dice)
    snapshots = await FileSnapshots.load(installation, store, clock)
    key = load_console_key(installation.path(installation.settings.console.key), make=True)
    systems = Systems(
        tokens=store.tokens, seals=key, clock=clock, dice=dice, current=snapshots.current
    )
    yield store, snapshots, systems
    await store.close()


def digests(snapshots) -> set[str]:
    (backend,) = snapshots.current().backends
    return {token.sha256 for token in backend.credentials.tokens}


async def make(systems):
    await systems.make("bvh", scopes=frozenset({Scope.READ}), days=30, by="bea")


async def test_what_was_made_counts_and_what_was_ended_does_not(reading):
    store, snapshots, systems = reading
    before = snapshots.current().epoch

    await make(systems)
    (kept,) = await store.tokens.kept()
    assert await snapshots.reload(store)
    assert digests(snapshots) == {TOKEN_SHA256, kept.sha256}
    assert snapshots.current().epoch == before + 1

    await systems.end("bvh", TOKEN_SHA256, by="bea", why="gelekt")
    await systems.end("bvh", kept.sha256, by="bea", why="gelekt")
    assert await snapshots.reload(store)

    assert digests(snapshots) == set()
    assert not await snapshots.reload(store)


async def test_a_row_that_no_console_sealed_lets_nobody_in(reading):
    store, snapshots, systems = reading
    await make(systems)
    (kept,) = await store.tokens.kept()

    await store.tokens.make(replace(kept, sha256="f" * 64), most=8)
    await store.tokens.make(replace(kept, sha256="e" * 64, seal=""), most=8)
    await snapshots.reload(store)

    assert digests(snapshots) == {TOKEN_SHA256, kept.sha256}


async def test_without_the_key_of_the_console_none_of_its_tokens_counts(reading):
    store, snapshots, systems = reading
    await make(systems)
    await snapshots.reload(store)
    installation = load_installation(snapshots._installation.folder)
    installation.path(installation.settings.console.key).unlink()

    assert await snapshots.reload(store)

    assert digests(snapshots) == {TOKEN_SHA256}


async def test_what_was_ended_in_the_database_of_before_stays_ended(reading):
    store, snapshots, systems = reading
    await make(systems)
    (kept,) = await store.tokens.kept()
    end = TokenEnd(sha256=kept.sha256, backend="bvh", at=kept.made_at, who="bea", why="weg")
    await store.tokens.end(end)
    again = FileSnapshots.load(snapshots._installation, store, SystemClock())

    assert kept.sha256 not in digests(await again)
