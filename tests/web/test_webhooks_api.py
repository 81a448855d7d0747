"""The webhooks of a back-end over REST: shown, tried, and switched on again."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from gateway.pipeline.webhooks import Calling
from gateway.ports import Notice
from gateway.rules.webhooks import Failure
from gateway.web.api import webhook_texts
from tests.outbound.hooks import House, Snapshots, client, directory, receiving, status, webhook
from tests.store.stage import Stage
from tests.web import doubles
from tests.web.api_client import api, refused
from tests.web.doubles import POLITIE

HOOKS = "/api/v1/webhooks"


@asynccontextmanager
async def served(folder, *answers, **settings):
    """The API with real webhooks behind it: one of bvh, one of vt."""
    stage = await Stage(folder, inline=True).open()
    async with receiving(folder, answers=list(answers)) as receiver:
        made = directory(
            webhook("bvh-1", receiver.url(), party=POLITIE),
            webhook("vt-1", receiver.url(), party=doubles.VT, backend="vt"),
            **settings,
        )
        snapshots = Snapshots(made)
        caller = client(folder, snapshots)
        house = House(
            clock=stage.clock,
            dice=stage.dice,
            snapshots=snapshots,
            webhooks=stage.store.webhooks,
            caller=caller,
        )
        async with api(calling=Calling(house)) as found:
            yield found, stage, receiver
    await stage.store.close()


async def shown(found) -> dict:
    async with found.get(HOOKS) as response:
        assert response.status == 200
        (one,) = (await response.json())["webhooks"]
        return one


async def disable(stage) -> None:
    """As a 410 does."""
    notice = Notice(
        webhook="bvh-1", backend="bvh", party=POLITIE, seq=1, fence=1, attempt=1,
        at=stage.clock.now(), event="postvak.nieuw", delivery="d", message="m", soort="",
        applicatie="BVH", status="", answer="",
    )  # fmt: skip
    stage.raw(
        "INSERT INTO webhook_events (webhook, backend, party, at, event, delivery, message, soort,"
        " applicatie, status, answer, next_at, attempt, fence) VALUES"
        f" ('bvh-1', 'bvh', '{POLITIE}', 1, 'postvak.nieuw', 'd', 'm', '', 'BVH', '', '', 1, 0, 1)"
    )
    failure = Failure(code="webhook.http.410", gone=True)
    await stage.store.webhooks.settle(notice, failure, disable_after=timedelta(days=3))


async def test_a_back_end_sees_its_own_webhooks_and_never_a_secret(tmp_path):
    async with served(tmp_path) as (found, _, receiver):
        one = await shown(found)

    assert one == {
        "id": "bvh-1",
        "url": receiver.url(),
        "gebeurtenissen": ["bericht.status", "postvak.nieuw"],
        "applicaties": ["BVH"],
        "status": "actief",
        "uitgeschakeldSinds": None,
        "reden": "",
        "faaltSinds": None,
        "volgendePoging": None,
        "laatstGelukt": None,
        "laatstMislukt": None,
        "laatsteFout": "",
        "toelichting": "",
        "wachtend": 0,
        "verzonden": 0,
        "mislukt": 0,
        "vervallen": 0,
    }


async def test_a_test_tells_its_outcome_and_is_remembered(tmp_path):
    async with served(tmp_path, status(204), status(500)) as (found, _, receiver):
        outcomes = []
        for _n in range(2):
            async with found.post(f"{HOOKS}/bvh-1/proef") as response:
                assert response.status == 200
                outcomes.append(await response.json())
        one = await shown(found)

    good, bad = outcomes
    assert len(receiver.seen) == 2
    assert (good["gelukt"], good["code"]) == (True, "")
    assert (bad["gelukt"], bad["code"]) == (False, "webhook.http.500")
    assert bad["toelichting"] == "De ontvanger antwoordde met HTTP 500."
    assert (one["laatstGelukt"], one["laatsteFout"]) == (good["tijd"], "webhook.http.500")


async def test_what_is_disabled_says_why_and_is_switched_on_once(tmp_path):
    async with served(tmp_path) as (found, stage, _):
        await disable(stage)
        off = await shown(found)
        answers = []
        for _n in range(2):
            async with found.post(f"{HOOKS}/bvh-1/inschakelen") as response:
                assert response.status == 200
                answers.append(await response.json())
        on = await shown(found)

    assert (off["status"], off["reden"]) == ("uitgeschakeld", "webhook.gone")
    assert off["uitgeschakeldSinds"] == "2026-11-24T08:00:00.000Z"
    assert [a["herhaald"] for a in answers] == [False, True]
    assert (on["status"], on["wachtend"]) == ("actief", 1)


@pytest.mark.parametrize("name", ["vt-1", "nergens", "bvh-1x"])
@pytest.mark.parametrize("what", ["proef", "inschakelen"])
async def test_the_webhook_of_another_is_not_there(tmp_path, name, what):
    async with (
        served(tmp_path) as (found, _, receiver),
        found.post(f"{HOOKS}/{name}/{what}") as response,
    ):
        problem = await refused(response, 404)

    assert problem["code"] == "webhook.onbekend"
    assert receiver.seen == []


@pytest.mark.parametrize("query", ["?url=https://169.254.169.254/", "?geheim=1"])
async def test_a_back_end_can_not_name_an_address(tmp_path, query):
    async with (
        served(tmp_path) as (found, _, receiver),
        found.post(f"{HOOKS}/bvh-1/proef{query}", json={"url": "x"}) as response,
    ):
        await refused(response, 400)

    assert receiver.seen == []


async def test_an_address_that_is_not_allowed_is_told_and_not_called(tmp_path):
    async with (
        served(tmp_path, toegestaan=[]) as (found, _, receiver),
        found.post(f"{HOOKS}/bvh-1/proef") as response,
    ):
        outcome = await response.json()

    assert (outcome["gelukt"], outcome["code"]) == (False, "webhook.not_allowed")
    assert "toegestaan" in outcome["toelichting"]
    assert receiver.seen == []


def test_every_code_that_a_call_can_end_with_has_a_text():
    codes = """
        webhook.address webhook.certificate webhook.dns webhook.failing webhook.gone webhook.host
        webhook.lost webhook.not_allowed webhook.scheme webhook.timeout webhook.tls
        webhook.unreachable webhook.url webhook.userinfo
    """

    assert set(codes.split()) <= set(webhook_texts.TEXTS)
    assert webhook_texts.text("webhook.http.418") == "De ontvanger antwoordde met HTTP 418."
    assert webhook_texts.text("anders") == "Dit ging mis aan onze kant."
