"""Another process loaded a changed directory a moment before this one did."""

import asyncio

from gateway.app import SystemClock, SystemDice, open_store
from gateway.installation import load_installation
from gateway.lifecycle import State
from gateway.snapshots import FileSnapshots
from tests.flow.test_melding import hand_in, melding, waiting
from tests.flow.town import HUB, POLITIE, VT
from tests.installations import installed


async def test_a_message_that_comes_meanwhile_is_answered_by_the_new_directory(town):
    """A 503 would keep the partner away for half a minute, each time that a file changes."""
    await hand_in(town, melding("ref-1"))
    await town[HUB].overtaken()

    await town.settle()

    assert next(answer.status for _, to, _, answer in town.wire if to == HUB) < 300
    assert len(await waiting(town)) == 1


async def test_a_hand_in_that_comes_meanwhile_is_taken(town):
    await town[POLITIE].overtaken()

    await hand_in(town, melding("ref-1"))
    await town.settle()

    assert len(await waiting(town)) == 1


async def test_a_confirmation_that_comes_meanwhile_is_taken(town):
    await hand_in(town, melding("ref-1"))
    await town.settle()
    (item,) = await waiting(town)
    await town[VT].overtaken()

    assert await town[VT].gateway.confirm(item.delivery, town[VT].backend)

    view = await town[VT].message("ref-1")
    assert [d.state for d in view.deliveries if d.recipient == VT] == [State.DELIVERED]


async def test_whoever_waits_goes_on_when_the_files_are_read_again(tmp_path):
    folder = installed(tmp_path / "politie")
    store = open_store(load_installation(folder), SystemClock(), SystemDice())
    snapshots = await FileSnapshots.load(load_installation(folder), store, SystemClock())
    waiting = asyncio.create_task(snapshots.moved(snapshots.current().epoch))
    await asyncio.sleep(0)
    file = folder / "gateway.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Voorbeeld OM", "OM"), "utf-8")

    assert await snapshots.reload(store)

    assert await waiting
    await store.close()
