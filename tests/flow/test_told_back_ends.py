"""A melding crosses the hub, and the back-ends at both ends are told, in one story."""

import json

import pytest

from gateway.config import WebhookEvent
from gateway.directory import Subscriber, Webhook
from gateway.ports import Call, Reply
from gateway.webhook_worker import WebhookWorker
from tests.flow.test_melding import hand_in, melding, waiting
from tests.flow.town import APPLICATIE, HUB, POLITIE, VT, build


class Caller:
    """Takes every call and remembers it."""

    def __init__(self):
        self.calls: list[Call] = []

    async def post(self, call: Call) -> Reply:
        self.calls.append(call)
        return Reply(status=204)

    def told(self) -> list[tuple]:
        """Return what was told since the last look."""
        calls, self.calls = self.calls, []
        bodies = [(call.url, json.loads(call.body)) for call in calls]
        return [
            (url, body["type"], body["data"]["id"], body["data"].get("status"))
            for url, body in bodies
        ]


@pytest.fixture
async def town(tmp_path):
    town = await build(tmp_path)
    town.caller = Caller()
    for installation in town.installations.values():
        installation.gateway.calling._sender._caller = town.caller
    for oin in (POLITIE, VT):
        installation = town[oin]
        one = Subscriber(
            name=str(oin),
            backend=installation.backend.name,
            party=oin,
            applicaties=frozenset({APPLICATIE[oin]}),
            events=frozenset({WebhookEvent.WAITING, WebhookEvent.STATUS}),
        )
        webhook = Webhook(subscriber=one, url=f"https://{oin}.example/", secrets=(bytes(32),))
        installation.store.subscribe((one,))
        await installation.change(webhooks=(webhook,))
    yield town
    await town.close()


async def told(town) -> list[tuple]:
    for installation in town.installations.values():
        bell = installation.store.webhook_bell
        worker = WebhookWorker(calling=installation.gateway.calling, bell=bell)
        while await worker.step():
            pass
    return town.caller.told()


async def test_both_ends_are_told_of_each_step_that_is_news_to_them(town):
    sender, receiver = f"https://{POLITIE}.example/", f"https://{VT}.example/"
    receipt = await hand_in(town, melding("ref-1"))
    assert await told(town) == []

    await town.settle()
    (item,) = await waiting(town)
    arrived = await told(town)
    await town[VT].gateway.confirm(item.delivery, town[VT].backend)
    await town.settle()
    answered = await told(town)

    assert arrived == [
        (sender, "bericht.status", receipt.id, "bezorgd"),
        (receiver, "postvak.nieuw", item.delivery, None),
    ]
    assert answered == [(sender, "bericht.status", receipt.id, "beantwoord")]
    assert await told(town) == []


async def test_a_hub_without_webhooks_writes_nothing(town):
    await hand_in(town, melding("ref-1"))
    await town.settle()

    figures = await town[HUB].store.reader.figures()
    assert figures["webhooks.waiting"] == 0
    assert (await town[POLITIE].store.reader.figures())["webhooks.waiting"] == 1


async def test_what_is_held_is_no_news_and_a_message_that_dies_is(town):
    town[VT].up = town[HUB].up = False
    receipt = await hand_in(town, melding("ref-1"))
    await town.settle()
    town.clock.forward(days=2)
    await town.settle()
    await town.keep_house()

    assert await told(town) == [
        (f"https://{POLITIE}.example/", "bericht.status", receipt.id, "niet bezorgd")
    ]
