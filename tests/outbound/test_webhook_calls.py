"""From the event in the store to the receiver on loopback, and what comes back."""

import asyncio
import hmac
import json
from base64 import b64decode, b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.directory import Backend
from gateway.errors import NoRoute, Unavailable
from gateway.pipeline.webhooks import Calling
from gateway.security.webhook import sign
from gateway.webhook_worker import WebhookWorker
from tests.outbound.hooks import (
    SECRET,
    House,
    Receiver,
    Snapshots,
    client,
    directory,
    receiving,
    status,
    webhook,
)
from tests.store.stage import VT, Stage

QUICK = timedelta(seconds=0.05)
BACKEND = Backend(name="bvh", party=VT, applicaties=("Zorgsysteem",))


@dataclass
class Gateway:
    """A store, what calls, and one that receives."""

    stage: Stage
    calling: Calling
    worker: WebhookWorker
    house: House

    async def admit(self, *numbers: int) -> None:
        for n in numbers:
            await self.stage.admit(n, deliveries=(self.stage.postvak(n),))

    def set(self, *webhooks, **settings) -> None:
        made = directory(*webhooks, **settings)
        self.house.snapshots.directory = made
        self.stage.store.subscribe(tuple(w.subscriber for w in made.webhooks))

    async def state(self, name="bvh"):
        hooks = self.house.snapshots.directory.webhooks
        (one,) = [w.subscriber for w in hooks if w.name == name]
        return (await self.stage.store.webhooks.states((one,)))[name]


def hook(receiver: Receiver, name="bvh", **changes):
    given = {"party": VT, "applicaties": frozenset({"Zorgsysteem"})}
    return webhook(name, receiver.url(), **(given | changes))


@asynccontextmanager
async def serving(folder, *webhooks, inline=True, **settings):
    stage = await Stage(folder, inline=inline).open()
    snapshots = Snapshots(directory(*webhooks, **settings))
    caller = client(folder, snapshots)
    house = House(
        clock=stage.clock,
        dice=stage.dice,
        snapshots=snapshots,
        webhooks=stage.store.webhooks,
        caller=caller,
    )
    calling = Calling(house)
    worker = WebhookWorker(calling=calling, bell=stage.store.webhook_bell, idle=QUICK, look=QUICK)
    made = Gateway(stage, calling, worker, house)
    made.set(*webhooks, **settings)
    yield made
    await stage.store.close()


@asynccontextmanager
async def running(gateway):
    stop = asyncio.Event()
    task = asyncio.create_task(gateway.worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.01)


async def test_what_came_in_is_told_signed_with_ids_only(tmp_path):
    async with receiving(tmp_path) as receiver, serving(tmp_path, hook(receiver)) as gateway:
        await gateway.admit(1)
        assert await gateway.worker.step() == 1
        assert await gateway.worker.step() == 0

        (request,), (body,) = receiver.seen, receiver.bodies
        assert json.loads(body) == {
            "type": "postvak.nieuw",
            "timestamp": "2026-11-24T08:00:00.000Z",
            "data": {
                "id": "d-1",
                "link": "/api/v1/postvak/d-1/inhoud",
                "bericht": "m-1",
                "soort": "vtMeldingDi01",
                "applicatie": "Zorgsysteem",
            },
        }
        content = b".".join(
            (
                request.headers["webhook-id"].encode(),
                request.headers["webhook-timestamp"].encode(),
                body,
            )
        )
        version, _, given = request.headers["webhook-signature"].partition(",")
        assert version == "v1"
        assert b64decode(given) == hmac.digest(SECRET, content, "sha256")
        assert request.content_type == "application/json"
        found = await gateway.state()
        assert (found.sent, found.waiting, found.success_at) == (1, 0, gateway.stage.clock.at)
        assert gateway.house.count.outcomes == ["sent"]


async def test_what_was_claimed_for_one_is_not_told_to_who_took_its_name_meanwhile(tmp_path):
    async with receiving(tmp_path) as receiver, serving(tmp_path, hook(receiver)) as gateway:
        await gateway.admit(1)
        (notice,) = await gateway.calling.claim()
        gateway.set(hook(receiver, backend="nieuw"))

        with pytest.raises(NoRoute):
            await gateway.calling.tell(notice)
        assert await gateway.worker.step() == 0
        assert receiver.seen == []

        gateway.set(hook(receiver))
        assert await gateway.worker.step() == 1


async def test_what_failed_is_sent_again_under_the_same_id_with_a_new_timestamp(tmp_path):
    answers = [status(500), status(204)]
    async with (
        receiving(tmp_path, answers=answers) as receiver,
        serving(tmp_path, hook(receiver)) as gateway,
    ):
        await gateway.admit(1)
        await gateway.worker.step()
        assert (await gateway.state()).failure_code == "webhook.http.500"
        gateway.stage.clock.forward(seconds=7)
        await gateway.worker.step()

    first, second = receiver.seen
    assert len(set(receiver.ids())) == 1
    assert len(set(receiver.bodies)) == 1
    times = [int(r.headers["webhook-timestamp"]) for r in (first, second)]
    assert times[1] - times[0] == 7
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_a_restart_in_between_loses_nothing_and_keeps_the_id(tmp_path):
    """The receiver took it, and we died before that was written down."""
    async with receiving(tmp_path) as receiver, serving(tmp_path, hook(receiver)) as gateway:
        await gateway.admit(1)
        (notice,) = await gateway.calling.claim()
        lost = replace_settle(gateway)
        with pytest.raises(Unavailable):
            await gateway.calling.tell(notice)
        lost()
        await gateway.stage.reopen()
        house = replace(gateway.house, webhooks=gateway.stage.store.webhooks)
        again = Calling(house)
        (notice,) = await again.claim()
        await again.tell(notice)

        assert len(receiver.ids()) == 2
        assert len(set(receiver.ids())) == 1
        assert (await gateway.state()).waiting == 0


def replace_settle(gateway):
    """The process dies between the answer and the commit."""
    real = gateway.house.webhooks.settle

    async def dies(*_given, **_named):
        raise Unavailable("store.gone", "the process is gone")

    gateway.house.webhooks.settle = dies
    return lambda: setattr(gateway.house.webhooks, "settle", real)


async def test_while_a_secret_is_replaced_the_header_has_both_signatures(tmp_path):
    old, new = bytes(32), bytes(range(1, 33))
    async with (
        receiving(tmp_path) as receiver,
        serving(tmp_path, hook(receiver, secrets=(new, old))) as gateway,
    ):
        await gateway.admit(1)
        await gateway.worker.step()

    headers = receiver.seen[0].headers
    at = int(headers["webhook-timestamp"])
    expected = [
        sign((s,), id_=headers["webhook-id"], at=at, body=receiver.bodies[0]) for s in (new, old)
    ]
    assert headers["webhook-signature"].split(" ") == expected


async def test_a_slow_receiver_keeps_no_other_waiting_and_has_so_many_calls(tmp_path):
    hanging = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    async with (
        receiving(tmp_path, answers=[slow]) as stuck,
        receiving(tmp_path) as good,
        serving(tmp_path, hook(stuck, "traag"), hook(good, "vlot"), in_flight=2) as gateway,
        running(gateway),
    ):
        await gateway.admit(*range(1, 9))
        await until(lambda: len(good.seen) == 8 and len(stuck.seen) == 2)
        await asyncio.sleep(0.2)
        assert len(stuck.seen) == 2
        hanging.set()
        await until(lambda: len(stuck.seen) == 8)

    assert len(set(stuck.ids())) == 8
    assert set(stuck.ids()).isdisjoint(good.ids())


async def test_a_stop_gives_back_what_it_cuts_off(tmp_path):
    hanging = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    async with (
        receiving(tmp_path, answers=[slow]) as receiver,
        serving(tmp_path, hook(receiver), total_seconds=30) as gateway,
    ):
        async with running(gateway):
            await gateway.admit(1)
            await until(lambda: len(receiver.seen) == 1)
        (again,) = await gateway.calling.claim()
        hanging.set()

    assert again.attempt == 1


async def test_gone_is_the_end_until_somebody_enables_it(tmp_path):
    answers = [status(410), status(204)]
    async with (
        receiving(tmp_path, answers=answers) as receiver,
        serving(tmp_path, hook(receiver)) as gateway,
    ):
        await gateway.admit(1)
        with capture_logs() as lines:
            await gateway.worker.step()
        await gateway.admit(2)
        gateway.stage.clock.forward(days=1)
        assert await gateway.worker.step() == 0
        own = gateway.calling.own("bvh", BACKEND)
        assert await gateway.calling.enable(own, who="bvh", why="hersteld")
        assert await gateway.worker.step() == 2

    assert {"event": "webhook.disabled", "webhook": "bvh", "log_level": "error"} in lines
    assert len(receiver.seen) == 3


async def test_a_redirect_counts_as_failed_and_leads_nowhere(tmp_path):
    redirect = status(302, Location="http://169.254.169.254/")
    async with (
        receiving(tmp_path, answers=[redirect]) as receiver,
        serving(tmp_path, hook(receiver)) as gateway,
    ):
        await gateway.admit(1)
        await gateway.worker.step()

        assert (await gateway.state()).failure_code == "webhook.http.302"


async def test_an_address_that_is_not_allowed_is_a_failure_with_its_code(tmp_path):
    async with (
        receiving(tmp_path) as receiver,
        serving(tmp_path, hook(receiver), toegestaan=[]) as gateway,
    ):
        await gateway.admit(1)
        await gateway.worker.step()

        assert (await gateway.state()).failure_code == "webhook.not_allowed"
        assert receiver.seen == []


async def test_a_webhook_that_was_taken_out_or_whose_party_is_suspended_is_not_called(tmp_path):
    async with receiving(tmp_path) as receiver, serving(tmp_path, hook(receiver)) as gateway:
        await gateway.admit(1)
        (notice,) = await gateway.calling.claim()
        made = gateway.house.snapshots.directory
        gateway.house.snapshots.directory = replace(made, webhooks=())
        with pytest.raises(NoRoute):
            await gateway.calling.tell(notice)
        gateway.house.snapshots.directory = replace(made, suspended=frozenset({VT}))
        assert await gateway.calling.claim() == ()
        gateway.house.snapshots.directory = made
        assert len(await gateway.calling.claim()) == 1
        assert receiver.seen == []


async def test_a_test_goes_out_even_to_one_that_is_disabled_one_at_a_time(tmp_path):
    hanging = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    answers = [status(410), slow, status(500)]
    async with (
        receiving(tmp_path, answers=answers) as receiver,
        serving(tmp_path, hook(receiver)) as gateway,
    ):
        await gateway.admit(1)
        await gateway.worker.step()
        own = gateway.calling.own("bvh", BACKEND)
        first = asyncio.create_task(gateway.calling.test(own))
        await until(lambda: len(receiver.seen) == 2)
        with pytest.raises(Unavailable) as busy:
            await gateway.calling.test(own)
        hanging.set()
        good = await first
        bad = await gateway.calling.test(own)

        found = await gateway.state()
    assert busy.value.code == "webhook.busy"
    assert json.loads(receiver.bodies[1])["type"] == "webhook.proef"
    assert json.loads(receiver.bodies[1])["data"] == {"id": "bvh"}
    assert good.failure is None
    assert bad.failure.code == "webhook.http.500"
    assert (found.disabled_why, found.waiting) == ("webhook.gone", 1)


async def test_a_back_end_has_its_own_webhooks_and_no_others(tmp_path):
    async with receiving(tmp_path) as receiver:
        other = hook(receiver, "ander", backend="ander")
        async with serving(tmp_path, hook(receiver), other) as gateway:
            seen = await gateway.calling.overview(BACKEND)
            with pytest.raises(NoRoute) as hidden:
                gateway.calling.own("ander", BACKEND)
            with pytest.raises(NoRoute) as unknown:
                gateway.calling.own("nergens", BACKEND)

    assert [w.name for w, _ in seen] == ["bvh"]
    assert str(hidden.value) == str(unknown.value)


async def test_what_is_too_old_is_dropped_by_the_housekeeping(tmp_path):
    async with receiving(tmp_path) as receiver, serving(tmp_path, hook(receiver)) as gateway:
        await gateway.admit(1)
        gateway.stage.clock.forward(days=7, seconds=1)

        assert await gateway.calling.drop_old() == 1
        assert await gateway.calling.drop_old() == 0
        assert gateway.house.count.outcomes == ["dropped"]


async def test_no_line_of_the_log_holds_a_secret_or_a_body(tmp_path):
    async with (
        receiving(tmp_path, answers=[status(500), status(204)]) as receiver,
        serving(tmp_path, hook(receiver)) as gateway,
    ):
        await gateway.admit(1)
        with capture_logs() as lines:
            await gateway.worker.step()
            gateway.stage.clock.forward(seconds=9)
            await gateway.worker.step()
        told = repr(lines) + repr(gateway.house.snapshots.current())

    assert [line["event"] for line in lines] == ["webhook.failed", "webhook.sent"]
    for octets in (repr(SECRET), b64encode(SECRET).decode(), SECRET.hex(), "d-1", "signature"):
        assert octets not in told


async def test_the_worker_goes_on_when_the_store_comes_back(tmp_path):
    async with receiving(tmp_path) as receiver, serving(tmp_path, hook(receiver)) as gateway:
        await gateway.admit(1)
        real = gateway.house.webhooks.claim
        troubles = []
        gateway.worker._on_trouble = troubles.append

        async def gone(*_given, **_named):
            raise Unavailable("store.gone", "not now")

        gateway.house.webhooks.claim = gone
        async with running(gateway):
            await until(lambda: troubles)
            assert receiver.seen == []
            gateway.house.webhooks.claim = real
            await until(lambda: receiver.seen)

    assert set(troubles) == {"store.gone"}


async def test_without_webhooks_the_store_is_not_even_asked(tmp_path):
    async with serving(tmp_path) as gateway:
        gateway.house.snapshots.directory = replace(directory(), webhooks=())
        gateway.house.webhooks.claim = gateway.house.webhooks.waiting = None
        async with running(gateway):
            await asyncio.sleep(0.2)

        assert await gateway.calling.claim() == ()
        assert not await gateway.calling.waiting()
