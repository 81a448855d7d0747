"""What a review found on the way of a message: a refusal that our own trouble swallowed."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from gateway.alarming import Alarming
from gateway.errors import Malformed, Misconfigured, StoreUnavailable
from gateway.lifecycle import State
from gateway.ports import AlarmBounds
from gateway.worker import Pace, Worker
from tests.flow.test_reliable import alarms, hand_in, melding, sent
from tests.flow.town import HUB, VT, build


@pytest.fixture
async def town(tmp_path):
    made = await build(tmp_path, profile="osb-be-s")
    yield made
    await made.close()


def refusing(town, monkeypatch):
    """Veilig Thuis answers with a MessageError in the answer itself."""

    async def admit(*_given):
        raise Malformed("payload.count", "no")

    monkeypatch.setattr(town[VT].gateway._receiver._admitting, "admit", admit)


async def test_a_refusal_in_the_answer_counts(town, monkeypatch):
    refusing(town, monkeypatch)
    await hand_in(town, melding("ref-1"))
    await town.settle()

    assert (await sent(town)).state is State.REFUSED


async def test_a_refusal_that_could_not_be_written_down_is_not_a_delivery(town, monkeypatch):
    refusing(town, monkeypatch)

    async def busy(_signal):
        raise StoreUnavailable("store.busy", "too many changes wait")

    monkeypatch.setattr(town[HUB].store.signals, "receive", busy)
    await hand_in(town, melding("ref-1"))
    await town.settle()

    assert (await sent(town)).state is State.UNKNOWN
    assert await alarms(town) == ["delivery.unknown"]


async def test_a_sender_that_can_not_be_told_keeps_nobody_from_being_warned():
    looked = []

    class Broken:
        async def tell_senders(self):
            raise Misconfigured("epoch_key.damaged", "no")

        async def watch(self, _bounds, *, also=()):
            looked.append("watch")

        async def alarms(self, *, limit):
            looked.append("log")
            return ()

    broken = Broken()
    alarming = Alarming(gateway=broken, alarms=broken, reader=broken, bounds=AlarmBounds())

    with pytest.raises(Misconfigured):
        await alarming.round()

    assert looked == ["watch", "log"]


async def test_a_worker_that_stops_keeps_its_lease_while_it_still_sends(monkeypatch):
    """With a grace longer than the lease others would send it too."""
    beats, sending, ended = [], asyncio.Event(), asyncio.Event()
    monkeypatch.setattr("gateway.worker.LOOK", 0.05)

    class Claim:
        delivery = "d-1"

    class Slow:
        current = None

        async def claim(self, **_given):
            return () if sending.is_set() else (Claim(),)

        async def deliver(self, _claim):
            sending.set()
            await ended.wait()

        async def sweep(self, **_given):
            return None

        async def heartbeat(self, **_given):
            beats.append(1)

        async def retire(self, **_given):
            return None

    from gateway.app import SystemClock
    from gateway.store.bell import Bell

    slow = Slow()
    worker = Worker(
        name="w",
        gateway=slow,
        queue=slow,
        bell=Bell(),
        clock=SystemClock(),
        pace=Pace(grace=timedelta(seconds=20)),
    )
    worker._claim = lambda *_given, **_named: slow.claim()
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await asyncio.wait_for(sending.wait(), 10)
    stop.set()
    before = len(beats)
    for _ in range(100):
        if len(beats) >= before + 3:
            break
        await asyncio.sleep(0.05)
    ended.set()
    await asyncio.wait_for(running, 10)

    assert len(beats) >= before + 3


async def test_what_fails_behind_the_post_does_not_go_round_without_a_rest(tmp_path):
    """A bug in reading the answer sent it again every second, for as long as it lived."""
    town = await build(tmp_path)
    taken = []

    async def post(endpoint, message):
        taken.append(message)
        raise OverflowError

    monkey = town[HUB].gateway._delivering._house
    real = monkey.network.post
    monkey.network.post = post
    await hand_in(town, melding("ref-1"))
    for _ in range(120):
        with contextlib.suppress(OverflowError):
            await town.settle()
        town.clock.forward(seconds=1)

    assert len(taken) < 20
    monkey.network.post = real
    town.clock.forward(minutes=1)
    await town.settle()
    assert (await sent(town)).state is State.DELIVERED
    await town.close()
