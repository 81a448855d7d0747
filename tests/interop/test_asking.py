"""Questions to the MSH itself: Ping and StatusRequest, from Santuario and to it."""

import asyncio

import pytest

from gateway.directory import SyncReply
from gateway.message import MessageStatus
from tests.flow.town import HUB, VT
from tests.interop.crossing import crossing, melding

SIGNED = {"osb-be": False, "osb-rm-e": True}


async def heard(party):
    """Return the one thing that the party is told, as soon as it is."""
    for _ in range(1_000):
        if found := await party.take():
            (one,) = found
            return one
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was heard")


@pytest.mark.parametrize("profile", SIGNED)
@pytest.mark.parametrize("sync", [SyncReply.NONE, SyncReply.SIGNALS])
async def test_a_ping_is_answered(tmp_path, places, profile, sync):
    async with crossing(tmp_path, places, profile, sync_reply=sync) as both:
        sent = await both.ask("Ping")
        pong = sent.get("answer") or await heard(both.politie)

    assert sent["status"] == (204 if sync is SyncReply.NONE else 200)
    assert (pong["action"], pong["problem"], pong["signed"]) == ("Pong", "", SIGNED[profile])
    assert pong["refToMessageId"] == sent["messageId"]


@pytest.mark.parametrize("profile", SIGNED)
async def test_what_became_of_a_message_is_told_to_who_sent_it(tmp_path, places, profile):
    async with crossing(tmp_path, places, profile) as both:
        sent = await both.send(melding())
        await both.settle()
        await both.politie.take()
        said = {}
        for about in (sent["messageId"], "nobody@nowhere.test"):
            await both.ask("StatusRequest", instead={"status-of": about})
            answer = await heard(both.politie)
            assert (answer["problem"], answer["signed"]) == ("", SIGNED[profile])
            said[answer["statusOf"]] = answer["messageStatus"]

    assert said == {sent["messageId"]: "Received", "nobody@nowhere.test": "NotRecognized"}


@pytest.mark.parametrize("profile", SIGNED)
@pytest.mark.parametrize("sync", [SyncReply.NONE, SyncReply.SIGNALS])
async def test_a_partner_answers_what_we_ask(tmp_path, places, profile, sync):
    async with crossing(tmp_path, places, profile, sync_reply=sync) as both:
        hub = both.town[HUB].gateway
        ping = await hub.ping(VT, who="o.operator")
        await both.send(melding())
        await both.settle()
        status = await hub.ask_status((await both.delivery()).id, who="o.operator")
        asked = [one for one in await both.vt.take() if one["service"].endswith(":service")]

    assert (ping.word, ping.code) == ("Pong", "")
    assert (status.status, status.code) == (MessageStatus.RECEIVED, "")
    assert [one["action"] for one in asked] == ["Ping", "StatusRequest"]
    assert [(one["problem"], one["signed"]) for one in asked] == [("", SIGNED[profile])] * 2
