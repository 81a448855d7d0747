"""The hub comes back from a copy of an hour ago: what is sent again, and what protects."""

import shutil
from datetime import timedelta

import pytest

from gateway.lifecycle import State
from gateway.store.backup import back_up
from tests.flow import town as towns
from tests.flow.test_melding import events, hand_in, melding, waiting
from tests.flow.town import HUB, POLITIE, VT


@pytest.fixture
def hub(tmp_path):
    return tmp_path / HUB


async def restore(town, folder, copy):
    """Another process with the database of then and the epoch keys of now."""
    await town[HUB].store.close()
    for path in folder.glob("gateway.db*"):
        path.unlink()
    shutil.copy(copy, folder / "gateway.db")
    town.installations[HUB] = await towns._install(town, folder, HUB, "osb-rm-e")


async def sent_to(town, oin, reference):
    view = await town[HUB].message(reference)
    return next(d for d in view.deliveries if d.recipient == oin and d.kind == "bericht")


async def test_what_was_signed_before_the_copy_is_sent_again_and_taken_once(town, hub, tmp_path):
    town[VT].up = False
    await hand_in(town, melding("ref-1"))
    await town.settle()
    back_up(hub / "gateway.db", tmp_path / "copy.db")
    town[VT].up = True
    town.clock.forward(minutes=1)
    await town.settle()
    assert len(await waiting(town)) == 1

    await restore(town, hub, tmp_path / "copy.db")
    town.clock.forward(minutes=10)
    await town.settle()

    assert (await sent_to(town, VT, "ref-1")).state is State.DELIVERED
    items = await waiting(town)
    assert [item.message.referentienummer for item in items] == ["ref-1"]
    assert "message.duplicate" in events(await town[VT].message("ref-1"))


async def test_what_was_signed_after_the_copy_is_refused_and_seen_by_a_person(town, hub, tmp_path):
    """Signed anew it is another message with the same id: never a second delivery."""
    worker, town[HUB].worker = town[HUB].worker, _Idle()
    await hand_in(town, melding("ref-1"))
    await town.settle()
    back_up(hub / "gateway.db", tmp_path / "copy.db")
    town[HUB].worker = worker
    await town.settle()
    assert len(await waiting(town)) == 1

    await restore(town, hub, tmp_path / "copy.db")
    town.clock.forward(minutes=10)
    await town.settle()

    delivery = await sent_to(town, VT, "ref-1")
    assert delivery.state is State.REFUSED
    assert len(await waiting(town)) == 1


class _Idle:
    async def step(self):
        return 0


async def test_what_came_after_the_copy_is_taken_in_when_it_comes_again(town, hub, tmp_path):
    back_up(hub / "gateway.db", tmp_path / "copy.db")
    await hand_in(town, melding("ref-1"))
    await town.settle()
    again = next(message for sender, _, message, _ in town.wire if sender == POLITIE)
    await restore(town, hub, tmp_path / "copy.db")
    assert await town[HUB].message("ref-1") is None
    town.clock.forward(seconds=timedelta(seconds=30).total_seconds())

    wire = towns.Wire(town, POLITIE)
    await wire.post(towns.Endpoint(url="", party=HUB, client_certificate=None), again)
    await town.settle()

    assert len(await waiting(town)) == 1
    assert await town[HUB].store.verify_chain() is None
