"""A person's decisions: over the socket of the running process, and without one."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.alarming import Alarming, bounds
from gateway.app import SystemClock, SystemDice, open_store
from gateway.cli import deciding
from gateway.cli.demo.sites import make_sites
from gateway.config import AlarmSettings
from gateway.errors import (
    GatewayError,
    Misconfigured,
    NoRoute,
    PolicyViolation,
    StoreUnavailable,
)
from gateway.installation import load_installation
from gateway.lifecycle import State
from gateway.message import MessageStatus
from gateway.pipeline.enquiring import Heard
from gateway.ports import Alarm, Decided, LostTrack
from gateway.ports.enquiries import Answered
from gateway.web.control import MOST_BODY, NAME, Desk, open_control
from gateway.web.unix_socket import short
from tests.store.stage import VT, Stage
from tests.store.test_store_quarantine import hold
from tests.web.test_cli import gateway

RIGHT = {"door": "jansen", "reden": "niet ontvangen"}


class Decisions:
    def __init__(self, error: GatewayError | None = None):
        self.asked: list[tuple] = []
        self.error = error

    async def resume(self, id_, *, who, why):
        return self._did("resume", id_, who, why)

    async def stop(self, id_, *, who, why):
        return self._did("stop", id_, who, why)

    def _did(self, *call):
        self.asked.append(call)
        if self.error is not None:
            raise self.error
        return Decided(delivery="d-1", message="m-1", state=State.READY)


class Sending:
    """Answers what it is given, and keeps who asked."""

    def __init__(self, heard):
        self.heard = heard
        self.asked = []

    async def ping(self, party, *, who):
        self.asked.append((party, who))
        return self.heard

    async def ask_status(self, id_, *, who):
        self.asked.append((id_, who))
        return self.heard


class Renewals:
    def __init__(self):
        self.told = []

    async def imported(self, renewal, *, who, why):
        self.told.append((renewal.use, renewal.sha256, who, why))


@asynccontextmanager
async def asking(
    folder: Path,
    decisions: Decisions,
    renewals: Renewals | None = None,
    sending: Sending | None = None,
    **given,
):
    """Listen in `folder`, and yield what posts there."""
    control = await open_control(
        Desk(
            decisions=decisions,
            pauses=None,
            alarms=None,
            renewals=renewals or Renewals(),
            shelving=None,
            webhooks=None,
            confirmations=None,
            sending=sending,
        ),
        folder,
        **given,
    )
    try:
        with short(folder / NAME) as name:
            connector = aiohttp.UnixConnector(path=name)
            async with aiohttp.ClientSession("http://gateway", connector=connector) as session:
                yield session
    finally:
        await control.close()


async def post(session, path="/berichten/d-1/hervat", body=None):
    async with session.post(path, data=json.dumps(RIGHT if body is None else body)) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(("word", "call"), [("hervat", "resume"), ("staak", "stop")])
async def test_a_decision_reaches_the_store_with_who_and_why(tmp_path, word, call):
    decisions = Decisions()
    async with asking(tmp_path, decisions) as session:
        status, body = await post(session, f"/berichten/d-1/{word}")

    assert (status, json.loads(body)["levering"]) == (200, "d-1")
    assert decisions.asked == [(call, "d-1", "jansen", "niet ontvangen")]


AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def heard(status=None, *, received_at=None, error="", code=""):
    answered = Answered(at=AT, status=status, received_at=received_at, error=error)
    return Heard(party=VT, answered=answered, code=code, seconds=0.0123)


@pytest.mark.parametrize(
    ("path", "given", "told"),
    [
        (f"/partners/{VT}/ping", heard(), ("Pong", "", "")),
        (
            f"/partners/{VT}/ping",
            heard(error="NotSupported", code="ebms.NotSupported"),
            ("", "", "ebms.NotSupported"),
        ),
        (
            "/berichten/d-1/navraag",
            heard(MessageStatus.RECEIVED, received_at=AT),
            ("Received", "2026-11-24T09:00:00+00:00", ""),
        ),
        (
            "/berichten/d-1/navraag",
            replace(heard(), answered=None, code="answer.timeout"),
            ("", "", "answer.timeout"),
        ),
    ],
)
async def test_what_a_partner_is_asked_goes_through_the_pipeline(tmp_path, path, given, told):
    sending = Sending(given)
    async with asking(tmp_path, Decisions(), sending=sending) as session:
        status, body = await post(session, path)

    found = json.loads(body)
    assert status == 200
    assert (found["antwoord"], found["ontvangen"], found["code"]) == told
    assert (found["partij"], found["milliseconden"]) == (VT, "12")
    assert sending.asked == [(path.split("/")[2], "jansen")]


async def test_a_renewed_certificate_is_told_by_its_use_and_thumbprint(tmp_path):
    renewals = Renewals()
    async with asking(tmp_path, Decisions(), renewals) as session:
        status, _ = await post(session, f"/certificaten/tls:{'ab' * 32}/vernieuwd")
        wrong = [
            await post(session, path)
            for path in (
                "/certificaten/tls:abc/vernieuwd",
                f"/certificaten/{'ab' * 32}/vernieuwd",
                f"/alarmen/tls:{'ab' * 32}/vernieuwd",
                f"/certificaten/tls:{'ab' * 32}/staak",
            )
        ]

    assert status == 200
    assert [status for status, _ in wrong] == [422] * 4
    assert renewals.told == [("tls", "ab" * 32, "jansen", "niet ontvangen")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PolicyViolation("decision.state", "Niet te hervatten."), 422),
        (NoRoute("bericht.onvindbaar", "Er is geen verzending met dit id."), 422),
        (StoreUnavailable("store.busy", "te druk"), 503),
        (GatewayError("bug.transition", "a secret of ours"), 500),
    ],
)
async def test_a_refusal_says_why(tmp_path, error, status):
    async with asking(tmp_path, Decisions(error)) as session:
        found, body = await post(session)

    assert (found, json.loads(body)["code"]) == (status, error.code)
    assert "secret" not in body


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"door": "jansen"},
        RIGHT | {"reden": ""},
        RIGHT | {"reden": "  "},
        RIGHT | {"reden": "a" * 201},
        RIGHT | {"reden": "twee\nregels"},
        RIGHT | {"reden": 5},
        RIGHT | {"door": ""},
        RIGHT | {"door": "j" * 65},
    ],
)
async def test_without_a_name_and_a_reason_nothing_is_decided(tmp_path, body):
    decisions = Decisions()
    async with asking(tmp_path, decisions) as session:
        status, text = await post(session, body=body)

    assert status == 422
    assert json.loads(text)["code"].startswith("command.")
    assert decisions.asked == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/berichten/d-1/af", 422),
        ("/alarmen/1/staak", 422),
        ("/berichten/d-1/verwijder", 404),
        ("/berichten", 404),
    ],
)
async def test_there_are_only_these_commands(tmp_path, path, status):
    decisions = Decisions()
    async with asking(tmp_path, decisions) as session:
        found, _ = await post(session, path)

    assert (found, decisions.asked) == (status, [])


async def test_another_user_is_refused(tmp_path):
    decisions = Decisions()
    async with asking(tmp_path, decisions, users=frozenset({12_345})) as session:
        status, body = await post(session)

    assert (status, json.loads(body)["code"], decisions.asked) == (403, "control.uid", [])


async def test_the_socket_is_the_owners_only_and_goes_with_the_process(tmp_path):
    async with asking(tmp_path, Decisions()):
        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600

    assert not (tmp_path / NAME).exists()


async def test_a_socket_that_a_crash_left_is_replaced(tmp_path):
    left = socket.socket(socket.AF_UNIX)
    with short(tmp_path / NAME) as name:
        left.bind(name)
    left.close()

    async with asking(tmp_path, Decisions()) as session:
        status, _ = await post(session)

    assert status == 200


async def test_a_folder_with_a_long_name_will_do(tmp_path):
    folder = tmp_path / ("a" * 150)
    folder.mkdir()

    async with asking(folder, Decisions()) as session:
        status, _ = await post(session)

    assert status == 200


async def test_a_socket_that_can_not_be_made_stops_the_start(tmp_path):
    (tmp_path / NAME).mkdir()

    desk = Desk(
        decisions=Decisions(),
        pauses=None,
        alarms=None,
        renewals=None,
        shelving=None,
        webhooks=None,
        confirmations=None,
    )
    with pytest.raises(Misconfigured) as caught:
        await open_control(desk, tmp_path)

    assert caught.value.code == "control.socket"


async def test_a_body_that_is_too_long_is_not_read(tmp_path):
    decisions = Decisions()
    async with asking(tmp_path, decisions) as session:
        status, _ = await post(session, body=RIGHT | {"more": "a" * MOST_BODY})

    assert (status, decisions.asked) == (413, [])


# --- the commands ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return make_sites(tmp_path_factory.mktemp("sites")).by_place["politie"].config


async def opened(config) -> Stage:
    """The store of the installation, with the makers of admissions."""
    installation = load_installation(config)
    stage = Stage(installation.folder, inline=False)
    stage.store = open_store(installation, SystemClock(), SystemDice())
    stage.epoch = await stage.store.sync_epoch("first")
    stage.clock.at = SystemClock().now()
    return stage


async def unknown(stage, n):
    await stage.admit(n)
    (claim,) = [c for c in await stage.claim() if c.delivery == f"d-{n}"]
    await stage.store.queue.settle(claim, LostTrack(code="answer.lost"), ())


async def test_decisions_are_carried_out_without_a_process_and_through_one(config):
    stage = await opened(config)
    await unknown(stage, 1)
    await unknown(stage, 2)
    await stage.store.close()
    listed = gateway("berichten", "list", "--status", "unknown", "-c", config)
    alarms = gateway("alarmen", "list", "-c", config)
    doctor = gateway("doctor", "-c", config)

    alone = gateway("berichten", "hervat", "m-1", "--reden", "niet daar", "-c", config)
    stage = await opened(config)
    folder = load_installation(config).path(Path("data"))
    desk = Desk(
        decisions=stage.store.decisions,
        pauses=stage.store.pauses,
        alarms=stage.store.alarms,
        renewals=stage.store.renewals,
        shelving=stage.store.shelving,
        webhooks=stage.store.webhooks,
        confirmations=stage.store.confirmations,
    )
    control = await open_control(desk, folder)
    through = await _in_thread("berichten", "staak", "d-2", "--reden", "kwijt", config=config)
    again = await _in_thread("berichten", "staak", "d-2", "--reden", "kwijt", config=config)
    await stage.store.alarms.change(raised=(Alarm(code="store.trouble", subject=""),))
    (alarm,) = await stage.store.reader.alarms(limit=9)
    closed = await _in_thread("alarmen", "af", str(alarm.id), "--reden", "klaar", config=config)
    await control.close()

    assert ("m-1" in listed.out, "onzeker" in listed.out) == (True, True)
    assert alarms.out.count("delivery.unknown") == 2
    assert "! alarm delivery.unknown (2)" in doctor.out
    assert (alone.status, alone.err) == (0, "")
    assert "wordt opnieuw verzonden" in alone.out
    assert (through.status, "is gestaakt" in through.out) == (0, True)
    assert (again.status, again.err.partition(":")[2].strip()[:14]) == (1, "decision.state")
    assert (closed.status, "afgehandeld" in closed.out) == (0, True)
    assert [await stage.state(n) for n in (1, 2)] == [State.READY, State.DEAD]
    stopped = next(
        r.event for r in (await stage.view(2)).trace if r.event.event == "delivery.stopped"
    )
    assert (stopped.actor, stopped.data["reason"]) == (deciding.user(), "kwijt")
    await stage.store.close()


async def test_without_a_process_the_command_line_judges_what_goes_again_itself(config):
    stage = await opened(config)
    await stage.admit(7)
    await stage.store.close()

    ran = gateway("berichten", "opnieuw", "m-7", "--reden", "hersteld", "-c", config)

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("gateway: opnieuw.niet_geweigerd")


async def test_the_command_line_tells_what_a_partner_answered(config):
    sending = Sending(heard(MessageStatus.PROCESSED, received_at=AT))
    folder = Path(config).parent / "data"
    desk = Desk(
        decisions=Decisions(),
        pauses=None,
        alarms=None,
        renewals=None,
        shelving=None,
        webhooks=None,
        confirmations=None,
        sending=sending,
    )
    control = await open_control(desk, folder)
    asked = await _in_thread("berichten", "status", "d-1", "--door", "jansen", config=config)
    sending.heard = heard()
    ping = await _in_thread("partners", "ping", "Knooppunt", config=config)
    sending.heard = replace(heard(), answered=None, code="answer.timeout")
    silent = await _in_thread("berichten", "status", "d-1", config=config)
    await control.close()

    assert (asked.status, "heeft het bericht ontvangen en verwerkt" in asked.out) == (0, True)
    assert (ping.status, "Pong na 12 ms" in ping.out) == (0, True)
    assert (silent.status, "geen antwoord (answer.timeout)" in silent.out) == (1, True)
    assert sending.asked[0] == ("d-1", "jansen")


async def test_without_a_process_a_partner_that_is_away_is_told(config):
    ran = await _in_thread("partners", "ping", "Knooppunt", config=config)
    stranger = await _in_thread("partners", "ping", "Niemand", config=config)

    assert (ran.status, "geen Pong (peer.unreachable)" in ran.out) == (1, True)
    assert (stranger.status, stranger.err[:25]) == (1, "gateway: partner.onbekend")


async def test_on_postgresql_a_decision_needs_no_socket_and_no_stop(postgres, tmp_path):
    """The store stays open here, as in a process that runs."""
    config = make_sites(tmp_path, database=postgres.create).by_place["politie"].config
    stage = await opened(config)
    await unknown(stage, 1)

    ran = await _in_thread("berichten", "hervat", "m-1", "--reden", "niet daar", config=config)

    assert (ran.status, ran.err) == (0, "")
    assert await stage.state() is State.READY
    assert [a.code for a in await stage.store.reader.alarms(limit=9)] == []
    await stage.store.close()


async def _in_thread(*arguments, config):
    """Beside the loop that answers."""
    return await asyncio.to_thread(gateway, *arguments, "-c", config)


async def test_a_database_of_a_process_that_does_not_listen_is_left_alone(config):
    stage = await opened(config)

    ran = await _in_thread("berichten", "staak", "d-9", "--reden", "kwijt", config=config)

    assert ran.status == 2
    assert ran.err.startswith("gateway: store.locked")
    await stage.store.close()


# --- the log --------------------------------------------------------------------------


class Nobody:
    async def tell_senders(self):
        return 0


async def test_each_alarm_is_logged_once(tmp_path):
    stage = await Stage(tmp_path, inline=True).open()
    alarming = Alarming(
        gateway=Nobody(),
        alarms=stage.store.alarms,
        reader=stage.store.reader,
        bounds=bounds(AlarmSettings.model_validate({})),
    )
    seen = []
    for subject in ("a", "", "b"):
        if subject:
            alarm = Alarm(code="store.trouble", subject=subject)
            await stage.store.alarms.change(raised=(alarm,))
        with capture_logs() as lines:
            await alarming.round()
        seen.append([line.get("subject") for line in lines])

    assert seen == [["a"], [], ["b"]]
    await stage.store.close()


async def test_what_is_seen_outside_the_store_is_an_alarm_as_long_as_it_is_seen(tmp_path):
    stage = await Stage(tmp_path, inline=True).open()
    expiring = Alarm(code="certificate.expiring", subject="tls 0a0a0a0a0a0a0a0a/30")
    sights = [(expiring,), (expiring,), ()]
    alarming = Alarming(
        gateway=Nobody(),
        alarms=stage.store.alarms,
        reader=stage.store.reader,
        bounds=bounds(AlarmSettings.model_validate({})),
        outside=lambda: sights[0],
    )
    stands = []
    while sights:
        await alarming.round()
        found = await stage.store.reader.alarms(limit=9)
        stands.append([(a.code, a.subject, a.times) for a in found])
        sights.pop(0)

    once = [("certificate.expiring", "tls 0a0a0a0a0a0a0a0a/30", 1)]
    assert stands == [once, once, []]
    await stage.store.close()


async def test_mail_in_quarantine_is_listed_without_its_content(config):
    stage = await opened(config)
    await stage.store.close()
    nothing = gateway("quarantaine", "list", "-c", config)
    stage = await opened(config)
    await hold(stage)
    await hold(stage, 2)
    await stage.store.close()

    listed = gateway("quarantaine", "list", "-c", config)
    cut = gateway("quarantaine", "list", "--limit", "1", "-c", config)

    assert nothing.out.strip() == "Er staat geen e-mail in quarantaine."
    assert "incoming.plain" in "".join(listed.out.split())
    assert "hallo" not in listed.out
    more = "Dit zijn de nieuwste 1; er zijn er meer: --limit."
    assert (more in cut.out, more in listed.out) == (True, False)
    assert cut.out.count("incoming.plain") == 1
