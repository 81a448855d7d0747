"""The REST API of back-end systems, over HTTP on loopback."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    DuplicateConflict,
    Finding,
    GatewayError,
    IllegalTransition,
    Malformed,
    NoRoute,
    OutcomeUnknown,
    PolicyViolation,
    SchemaViolation,
    Severity,
    StoreUnavailable,
)
from gateway.lifecycle import State
from gateway.message import Aanlevering
from gateway.pipeline import Weigering
from gateway.pipeline.trying import Check, Checked, Oordeel, Outcome
from gateway.ports import (
    DeliveryChannel,
    DeliveryKind,
    Direction,
    MessageView,
    Standing,
    Wanted,
)
from gateway.ports.reading import Answered
from gateway.rules.classification import Reason
from gateway.web.api import cursor, steps
from gateway.web.api.app import api_app
from gateway.web.api.body import parse_json
from gateway.web.api.postvak import WeigeringBody
from gateway.web.listener import listen
from gateway.web.turns import Turns
from gateway.wire.xml import parse
from tests.flow import town as towns
from tests.web.api_client import BERICHTEN, POSTVAK, XML, api, refused
from tests.web.doubles import (
    POLITIE,
    RECEIPT,
    TOKENS,
    TRIAL,
    VT,
    Clock,
    Counted,
    Gateway,
    backend,
    delivery,
    directory,
    item,
    known,
    row,
)

# --- who asks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "token.missing"),
        ("", "token.missing"),
        ("x" * 4_097, "token.missing"),
        ("ander", "token.unknown"),
        (sha256(TOKENS["bvh"].encode()).hexdigest(), "token.unknown"),
        (TOKENS["weg"], "token.party"),
    ],
)
async def test_only_a_known_token_comes_in(token, code):
    async with api(token) as served, served.hand_in() as response:
        body = await refused(response, 401)

    assert body["code"] == code
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert served.gateway.calls == []


@pytest.mark.parametrize("header", ["Basic dTpw", "Bearer", "token-van-bvh"])
async def test_another_scheme_is_refused(header):
    async with (
        api(None) as served,
        served.get(BERICHTEN, headers={"Authorization": header}) as response,
    ):
        assert (await refused(response, 401))["code"] == "token.missing"


async def test_two_tokens_at_once_are_refused():
    async with api(None) as served:
        both = [("Authorization", f"Bearer {TOKENS['bvh']}")] * 2
        async with served.get(BERICHTEN, headers=both) as response:
            assert (await refused(response, 401))["code"] == "token.missing"


async def test_a_token_that_two_systems_have_is_of_nobody():
    async with api() as served:
        twice = (*served.gateway.directory.backends, backend("bvh", VT, "VTregistratie"))
        served.gateway.directory = replace(served.gateway.directory, backends=twice)
        async with served.get(BERICHTEN) as response:
            assert (await refused(response, 401))["code"] == "token.unknown"


async def test_a_suspended_party_is_refused():
    async with api() as served:
        served.gateway.directory = directory(suspended=frozenset({POLITIE}))
        async with served.get(BERICHTEN) as response:
            assert (await refused(response, 403))["code"] == "party.suspended"


async def test_a_withdrawn_token_no_longer_works_on_the_same_connection():
    async with api() as served:
        async with served.get(BERICHTEN) as response:
            assert response.status == 200
        served.gateway.directory = replace(served.gateway.directory, backends=())
        async with served.get(BERICHTEN) as response:
            assert (await refused(response, 401))["code"] == "token.unknown"


@pytest.mark.parametrize("path", ["/", "/api/v1/geheim", "/api/v1/berichten/a%2Fb"])
async def test_a_stranger_does_not_learn_which_paths_exist(path):
    async with api("ander") as served, served.get(path) as response:
        await refused(response, 401)


# --- handing in -----------------------------------------------------------------------


async def test_a_message_that_is_taken_in_gets_202_and_a_place():
    async with api() as served, served.hand_in(b"<melding/>") as response:
        assert response.status == 202
        assert response.headers["Location"] == "/api/v1/berichten/m-1"
        assert await response.json() == {
            "id": "m-1",
            "status": "aangenomen",
            "redenen": [],
            "redencodes": [],
            "referentienummer": "ref-1",
            "herhaald": False,
            "waarschuwingen": [],
        }
    assert served.gateway.calls == [("hand_in", b"<melding/>", Aanlevering(), "bvh")]
    assert served.counted.answers == [("api", 202)]


async def test_a_message_that_is_held_says_why():
    ground = Reason(rule="OM-001", path="/a/b", text="aanhouding is gevuld")
    told = ("aanhouding is gevuld (/a/b)",)
    receipt = replace(RECEIPT, held=True, reasons=told, grounds=(ground,))
    async with api(receipt=receipt) as served, served.hand_in() as response:
        assert response.status == 202
        body = await response.json()
    assert body["status"] == "vastgehouden"
    assert body["redenen"] == ["aanhouding is gevuld (/a/b)"]
    assert body["redencodes"] == [
        {"code": "OM-001", "pad": "/a/b", "tekst": "aanhouding is gevuld"}
    ]


async def test_a_warning_is_told_with_rule_place_and_remedy():
    warning = Finding(
        code="regel.x",
        rule="JZ-006",
        path="/a/b",
        text="Fout.",
        remedy="Doe dit.",
        severity=Severity.WARN,
    )
    receipt = replace(RECEIPT, warnings=(warning,))
    async with api(receipt=receipt) as served, served.hand_in() as response:
        assert response.status == 202
        assert (await response.json())["waarschuwingen"] == [
            {
                "code": "regel.x",
                "regel": "JZ-006",
                "pad": "/a/b",
                "tekst": "Fout.",
                "herstel": "Doe dit.",
                "ernst": "waarschuwing",
                "regelnummer": None,
                "kolom": None,
            }
        ]


async def test_an_identical_repeat_gets_200_with_the_first_receipt():
    receipt = replace(RECEIPT, fresh=False)
    async with api(receipt=receipt) as served, served.hand_in() as response:
        assert response.status == 200
        assert (await response.json())["id"] == "m-1"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Aanlevering()),
        (
            {"acuut": "true", "onderzoek": "false", "wpgArtikel": "13"},
            Aanlevering(acuut=True, onderzoek=False, wpg_artikel="13"),
        ),
        ({"acuut": "false"}, Aanlevering(acuut=False)),
    ],
)
async def test_what_the_document_has_no_element_for_comes_in_the_query(query, expected):
    async with api() as served, served.hand_in(**query) as response:
        assert response.status == 202
    assert served.gateway.calls[0][2] == expected


@pytest.mark.parametrize(
    "query",
    [
        "acuut=ja",
        "acuut=",
        "acuut=True",
        "onderzoek=0",
        "wpgArtikel=7",
        "wpgartikel=8",
        "onderzoeK=true",
        "acuut=true&acuut=false",
    ],
)
async def test_a_typo_in_the_query_never_means_the_default(query):
    async with (
        api() as served,
        served.post(f"{BERICHTEN}?{query}", data=b"<a/>", headers=XML) as response,
    ):
        assert (await refused(response, 400))["code"] == "request.query"
    assert served.gateway.calls == []


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/xml", "application/xml; charset=ISO-8859-1", "onzin"],
)
async def test_only_xml_in_utf8_is_read(content_type):
    headers = {"Content-Type": content_type}
    async with (
        api() as served,
        served.post(BERICHTEN, data=b"<a/>", headers=headers) as response,
    ):
        assert (await refused(response, 415))["code"] == "request.content_type"
    assert served.gateway.calls == []


async def test_a_charset_that_is_utf8_may_be_said():
    headers = {"Content-Type": "application/xml; charset=UTF-8"}
    async with api() as served, served.post(BERICHTEN, data=b"<a/>", headers=headers) as response:
        assert response.status == 202


async def test_a_document_over_the_limit_is_not_read():
    async with api() as served, served.hand_in(b"x" * 10_001) as response:
        body = await refused(response, 413)
    assert body["code"] == "size.payload"
    assert served.gateway.calls == []


async def test_a_large_document_waits_its_turn_and_a_small_one_waits_for_none():
    turns = Turns(large_bytes=1_000)
    async with api(turns=turns) as served:
        async with turns.turn(1_000):
            large = asyncio.create_task(status(served.hand_in(b"x" * 1_000)))
            assert await status(served.hand_in(b"x" * 999)) == 202
            done, _ = await asyncio.wait({large}, timeout=0.2)
            assert not done
        assert await large == 202


async def status(asked) -> int:
    async with asked as response:
        return response.status


async def test_a_document_that_can_not_be_read_says_on_which_line_and_column():
    with pytest.raises(Malformed) as caught:
        parse(b"<a>\n  <b>geheim</c>\n</a>")
    async with api(error=caught.value) as served, served.hand_in() as response:
        body = await refused(response, 422)

    (finding,) = body["bevindingen"]
    assert (finding["regelnummer"], finding["kolom"]) == (2, 16)
    assert body["detail"].endswith("Het lezen stopte op regel 2, kolom 16.")
    assert "geheim" not in str(body)


async def test_a_refusal_lists_every_finding():
    findings = (
        Finding(
            code="schema.verplicht",
            rule="xsd.element",
            path="/vtMeldingDi01/object",
            text="Het element ontbreekt.",
            remedy="Voeg het toe.",
        ),
        Finding(code="regel.bsn", rule="JZ-1", path="/x", text="Fout.", severity=Severity.WARN),
    )
    async with api(error=SchemaViolation(findings)) as served, served.hand_in() as response:
        body = await refused(response, 422)

    assert body["code"] == "schema.verplicht"
    assert body["herhalen"] is False
    assert body["bevindingen"] == [
        {
            "code": "schema.verplicht",
            "regel": "xsd.element",
            "pad": "/vtMeldingDi01/object",
            "tekst": "Het element ontbreekt.",
            "herstel": "Voeg het toe.",
            "ernst": "weigering",
            "regelnummer": None,
            "kolom": None,
        },
        {
            "code": "regel.bsn",
            "regel": "JZ-1",
            "pad": "/x",
            "tekst": "Fout.",
            "herstel": "",
            "ernst": "waarschuwing",
            "regelnummer": None,
            "kolom": None,
        },
    ]
    assert served.counted.refusals == ["schema.verplicht"]


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Malformed("xml.malformed", "not XML"), 422, False),
        (PolicyViolation("gate.wpg_article", "Artikel 9 mag niet."), 422, False),
        (NoRoute("route.unknown", "De ontvanger is hier niet bekend."), 422, False),
        (DuplicateConflict("duplicate.referentienummer", "Al gebruikt."), 409, False),
        (StoreUnavailable("store.busy", "queue full"), 503, True),
        (OutcomeUnknown("store.outcome_unknown", "commit lost"), 503, True),
        (IllegalTransition("held in state dead"), 500, False),
        (GatewayError("elders.mis", "value 999990019"), 500, False),
        (RuntimeError("value 999990019"), 500, False),
    ],
)
async def test_every_error_is_a_problem_with_a_status_of_its_own(error, status, retry):
    async with api(error=error) as served, served.hand_in() as response:
        body = await refused(response, status)
        text = await response.text()

    assert body["herhalen"] is retry
    assert ("Retry-After" in response.headers) is retry
    assert "999990019" not in text


async def test_texts_for_people_are_dutch_also_where_the_error_is_not():
    error = Malformed("xml.doctype", "document has a DTD")
    async with api(error=error) as served, served.hand_in() as response:
        body = await refused(response, 422)

    assert body["detail"] == "Het document heeft een DTD; dat is niet toegestaan."
    assert body["bevindingen"][0]["tekst"] == body["detail"]


async def test_answers_are_kept_by_nobody():
    async with api() as served, served.hand_in() as response:
        headers = response.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("DELETE", BERICHTEN, 405), ("GET", "/api/v2/berichten", 404), ("PUT", POSTVAK, 405)],
)
async def test_what_is_not_there_is_a_problem_too(method, path, status):
    async with api() as served, served.session.request(method, path) as response:
        await refused(response, status)


# --- trying ---------------------------------------------------------------------------


async def test_a_trial_hands_nothing_in_and_lists_every_check():
    async with api() as served, served.hand_in(b"<a/>", proef="true", acuut="true") as response:
        assert response.status == 200
        assert "Location" not in response.headers
        body = await response.json()

    assert served.gateway.calls == [("try_out", b"<a/>", Aanlevering(acuut=True), "bvh")]
    assert (body["oordeel"], body["status"], body["code"]) == ("aangenomen", 202, "")
    assert body["uiterlijk"] == "2026-11-24T10:30:15.250Z"
    assert [one["naam"] for one in body["controles"]] == [str(check) for check in Check]


async def test_a_trial_that_would_be_refused_is_an_answer_with_the_findings_of_the_refusal():
    error = SchemaViolation((Finding(code="schema.waarde", rule="xsd.x", path="/a", text="Mis."),))
    refused_ = Checked(check=Check.SCHEMA, outcome=Outcome.REFUSED, error=error)
    trial = replace(TRIAL, oordeel=Oordeel.REFUSED, checks=(refused_,))
    async with api(trial=trial) as served:
        async with served.hand_in(proef="true") as response:
            assert response.status == 200
            tried = await response.json()
        served.gateway.error = error
        async with served.hand_in(proef="false") as response:
            answered = await refused(response, 422)

    assert (tried["status"], tried["code"]) == (422, answered["code"])
    assert tried["controles"][0]["bevindingen"] == answered["bevindingen"]


# --- following ------------------------------------------------------------------------


def view(**facts) -> MessageView:
    trace = (row("message.handed_in", size=4), row("delivery.sent"), row("iets.nieuws"))
    return MessageView(
        message=facts.pop("message", known()),
        deliveries=facts.pop("deliveries", (delivery(),)),
        trace=trace,
    )


@pytest.mark.parametrize(
    ("states", "word", "explained"),
    [
        ((State.HELD,), "vastgehouden", ""),
        ((State.READY,), "onderweg", ""),
        ((State.CLAIMED,), "onderweg", ""),
        ((State.DELIVERED,), "bezorgd", ""),
        ((State.REFUSED,), "geweigerd", "geweigerd"),
        ((State.UNKNOWN,), "onzeker", "Een medewerker beslist"),
        ((State.DEAD,), "niet bezorgd", "nieuw referentienummer"),
        ((State.DELIVERED, State.UNKNOWN), "onzeker", "Een medewerker beslist"),
        ((), "verwerkt", ""),
    ],
)
async def test_the_sender_sees_in_dutch_where_its_message_stands(states, word, explained):
    deliveries = tuple(replace(delivery(), state=state) for state in states)
    signal = replace(delivery(), state=State.DEAD, kind=DeliveryKind.SIGNAL)
    async with api() as served:
        served.gateway.reader.views["m-1"] = view(deliveries=(*deliveries, signal))
        async with served.get(f"{BERICHTEN}/m-1") as response:
            body = await response.json()

    assert body["status"] == word
    assert explained in body["toelichting"]
    assert bool(explained) is bool(body["toelichting"])


async def test_what_arrived_and_was_then_refused_says_so():
    message = replace(known(), answer="Fo01Bericht")
    async with api() as served:
        served.gateway.reader.views["m-1"] = view(
            message=message, deliveries=(replace(delivery(), state=State.DELIVERED),)
        )
        async with served.get(f"{BERICHTEN}/m-1") as response:
            body = await response.json()

    assert (body["status"], body["antwoord"]) == ("bezorgd", "Fo01Bericht")
    assert "daarna door de ontvanger geweigerd" in body["toelichting"]


async def test_a_message_shows_every_step_with_its_time():
    async with api() as served:
        served.gateway.reader.views["m-1"] = view()
        async with served.get(f"{BERICHTEN}/m-1") as response:
            body = await response.json()

    assert body["soort"] == "vtMeldingDi01"
    assert body["antwoord"] == ""
    assert (body["status"], body["toelichting"]) == ("wacht op bevestiging", "")
    assert body["leveringen"][0]["status"] == "sent"
    assert body["leveringen"][0]["toestand"] == "wacht op bevestiging"
    assert body["leveringen"][0]["soort"] == "bericht"
    assert body["leveringen"][0]["pogingen"] == 1
    assert body["leveringen"][0]["bezorgd"] == "2026-11-24T10:30:15.250Z"
    assert body["stappen"][0] == {
        "tijd": "2026-11-24T10:30:15.250Z",
        "gebeurtenis": "message.handed_in",
        "stap": "Aangeleverd door het eigen systeem",
        "levering": "",
        "code": "",
        "partij": "",
        "door": "",
        "gegevens": {"size": 4},
    }
    assert body["stappen"][2]["stap"] == "iets.nieuws"


async def test_what_lies_in_the_own_postvak_may_be_followed():
    inbound = view(
        message=known(party=VT), deliveries=(delivery(POLITIE, DeliveryChannel.POSTVAK),)
    )
    async with api() as served:
        served.gateway.reader.views["m-1"] = inbound
        async with served.get(f"{BERICHTEN}/m-1") as response:
            assert response.status == 200


@pytest.mark.parametrize(
    "other",
    [
        view(message=known(party=VT)),
        view(message=known(party=VT), deliveries=(delivery(POLITIE),)),
        view(message=known(party=VT), deliveries=(delivery(VT, DeliveryChannel.POSTVAK),)),
    ],
)
async def test_what_is_of_another_party_is_not_there(other):
    async with api() as served:
        served.gateway.reader.views["m-1"] = other
        async with served.get(f"{BERICHTEN}/m-1") as response:
            theirs = await refused(response, 404)
        async with served.get(f"{BERICHTEN}/m-2") as response:
            nobodys = await refused(response, 404)

    assert theirs == nobodys


def three(served):
    for id_, party in (("m-1", POLITIE), ("m-2", VT), ("m-3", POLITIE)):
        served.gateway.reader.views[id_] = view(message=known(id_, party=party))


async def follow(served, path):
    """Return the pages from here on."""
    pages = []
    while path is not None:
        async with served.get(path) as response:
            assert response.status == 200
            pages.append(await response.json())
        path = pages[-1]["volgende"]
    return pages


async def test_the_overview_is_of_one_party_a_page_at_a_time_newest_first():
    async with api() as served:
        three(served)
        pages = await follow(served, f"{BERICHTEN}?limiet=1")

    assert [[m["id"] for m in page["berichten"]] for page in pages] == [["m-3"], ["m-1"], []]
    assert pages[-1]["cursor"] is None
    assert {wanted.party for wanted, _, _ in served.gateway.reader.asked} == {POLITIE}


async def test_a_cursor_goes_on_where_the_last_page_ended_and_there_is_always_one():
    async with api() as served:
        three(served)
        pages = await follow(served, f"{BERICHTEN}?sinds=2026-11-24T10:00:00%2B01:00&limiet=1")
        served.gateway.reader.views["m-4"] = view(message=known("m-4"))
        later = await follow(served, f"{BERICHTEN}?na={pages[-1]['cursor']}")

    assert [[m["id"] for m in page["berichten"]] for page in pages] == [["m-1"], ["m-3"], []]
    assert [m["id"] for m in later[-1]["berichten"]] == ["m-4"]
    assert later[-1]["cursor"] is not None
    moments = {wanted.since for wanted, _, _ in served.gateway.reader.asked[:3]}
    assert moments == {datetime(2026, 11, 24, 9, tzinfo=UTC)}


async def test_the_link_to_the_next_page_keeps_the_question():
    query = "zaak=PL%200%26x%3D1&soort=vtMeldingDi01&richting=uit&status=wacht%20op%20bevestiging"
    query += "&antwoord=Fo01Bericht"
    async with api() as served:
        three(served)
        await follow(served, f"{BERICHTEN}?{query}&referentienummer=ref-1&limiet=1")

    asked = {wanted for wanted, _, _ in served.gateway.reader.asked}
    assert asked == {
        Wanted(
            party=POLITIE,
            zaak="PL 0&x=1",
            kind="vtMeldingDi01",
            direction=Direction.OUTBOUND,
            standing=Standing.SENT,
            answer=Answered.REFUSED,
            referentienummer="ref-1",
        )
    }


@pytest.mark.parametrize(
    "made_up",
    ["m-1", "1", "1.00000000", "0x1.83dcefb7", "zz.83dcefb7", "-1.00000000", "1" * 17 + ".0" * 4],
)
@pytest.mark.parametrize("name", ["na", "voor"])
async def test_a_cursor_that_was_never_given_is_refused(name, made_up):
    async with api() as served, served.get(f"{BERICHTEN}?{name}={made_up}") as response:
        body = await refused(response, 400)

    assert body["code"] == "request.cursor"
    assert body["bevindingen"][0]["pad"] == f"?{name}"
    assert served.gateway.reader.asked == []


@given(st.integers(min_value=0, max_value=(1 << 63) - 1))
def test_a_cursor_is_read_as_it_was_written(position):
    assert cursor.read(cursor.write(position), "na") == position


def test_a_cursor_beyond_every_number_is_refused():
    with pytest.raises(SchemaViolation):
        cursor.read(cursor.write(1 << 63), "na")


async def test_one_can_not_go_both_ways():
    place = cursor.write(3)
    async with api() as served, served.get(f"{BERICHTEN}?na={place}&voor={place}") as response:
        assert (await refused(response, 400))["bevindingen"][0]["pad"] == "?voor"


async def test_everything_that_is_wrong_with_a_query_is_told_at_once():
    query = "limiet=0&sinds=gisteren&richting=op&onbekend=1&zaak=a&zaak=b"
    async with api() as served, served.get(f"{BERICHTEN}?{query}") as response:
        body = await refused(response, 400)

    assert {one["pad"] for one in body["bevindingen"]} == {
        "?",
        "?limiet",
        "?sinds",
        "?richting",
        "?zaak",
    }
    assert all(one["herstel"] for one in body["bevindingen"])


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-24T10:00:00",
        "2026-11-24",
        "1732442400",
        "2026-11-24T25:00:00Z",
        "T",
        "2026-W48-2T09:00:00Z",
        "20261124T09Z",
    ],
)
async def test_a_moment_has_its_zone(moment):
    async with api() as served, served.get(f"{BERICHTEN}?sinds={moment}") as response:
        assert (await refused(response, 400))["code"] == "request.query"


@pytest.mark.parametrize("query", ["limiet=0", "limiet=201", "limiet=1.5", "limiet=٣", "l=1"])
async def test_a_page_has_bounds(query):
    async with api() as served, served.get(f"{BERICHTEN}?{query}") as response:
        assert (await refused(response, 400))["code"] == "request.query"


def test_every_event_of_the_trace_has_a_dutch_name():
    expected = """
        message.handed_in message.received message.opened message.validated
        message.classified message.held message.released message.routed message.admitted
        message.refused message.answered message.duplicate acknowledgment.queued
        acknowledgment.answered
        delivery.claimed delivery.signed delivery.encrypted delivery.sent delivery.retry
        delivery.acknowledged delivery.refused delivery.dead delivery.unknown
        delivery.held_again delivery.expired postvak.shown postvak.confirmed
        postvak.refused signal.mismatch signal.unknown
    """

    assert set(expected.split()) <= set(steps.STEPS)
    assert steps.label("message.held") == "Vastgehouden tot het OM beslist"
    assert steps.label("mail.receipt", "onbekend") == "Ontvangst van de e-mail bevestigd"
    assert steps.label("mail.receipt", "gelezen").endswith("leesbevestiging")


async def test_what_is_connected_can_be_read():
    async with api() as served:
        parties = towns.directory(towns.POLITIE)
        served.gateway.directory = replace(
            parties, backends=(backend("bvh", towns.POLITIE, "BVH"),), epoch=1
        )
        async with served.get("/api/v1/berichtsoorten") as response:
            assert response.status == 200
            whole = await response.json()

    assert (whole["partij"], whole["applicaties"]) == (towns.POLITIE, ["BVH"])
    found = whole["berichtsoorten"]
    wanted = {"soort": "vtMeldingDi01", "richting": "uit", "partij": towns.VT}
    (melding,) = (one for one in found if wanted.items() <= one.items())
    assert melding["via"] == towns.HUB
    assert melding["applicaties"] == ["VTregistratie"]
    assert (melding["kanaal"], melding["profiel"]) == ("ebms2", "osb-rm-e")
    asks = (melding["antwoordOp"], melding["beantwoordMet"], melding["vrager"])
    assert asks == ("", "vtTerugkoppelingDi01", towns.POLITIE)
    (answer,) = (one for one in found if one["soort"] == "vtTerugkoppelingDi01")
    asks = (answer["antwoordOp"], answer["beantwoordMet"], answer["vrager"])
    assert asks == ("vtMeldingDi01", "", towns.POLITIE)
    assert answer["richting"] == "in"


# --- the postvak ----------------------------------------------------------------------


async def test_the_postvak_shows_what_waits_for_this_system():
    async with api() as served:
        served.gateway.postvak.items = [
            (POLITIE, item("d-1")),
            (POLITIE, item("d-2", applicatie="ANDER")),
            (VT, item("d-3")),
        ]
        async with served.get(POSTVAK) as response:
            body = await response.json()

    assert len(body["berichten"]) == 1
    shown = body["berichten"][0]
    assert shown["id"] == "d-1"
    assert shown["referentienummer"] == "ref-1"
    assert shown["soort"] == "vtMeldingDi01"
    assert shown["versie"] == "1.0.9"
    assert shown["zender"] == POLITIE
    assert shown["ontvangen"] == "2026-11-24T10:30:15.250Z"
    assert shown["herhaald"] is False
    assert shown["leaseTot"] == "2026-11-24T10:35:15.250Z"
    assert shown["omvang"] == 4
    assert shown["sha256"] == sha256(b"<a/>").hexdigest()
    assert shown["link"] == "/api/v1/postvak/d-1/inhoud"
    assert served.gateway.postvak.asked == [
        {"consumer": "bvh", "limit": 20, "lease": timedelta(minutes=5)}
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("applicatie=BVH", ["d-1", "d-2"]),
        ("soort=vtMeldingDi01", ["d-1", "d-2"]),
        ("soort=Fo01Bericht", []),
        ("applicatie=BVH&soort=vtMeldingDi01&limiet=1", ["d-1"]),
    ],
)
async def test_the_postvak_can_be_asked_for_one_applicatie_or_message(query, expected):
    async with api() as served:
        served.gateway.postvak.items = [(POLITIE, item("d-1")), (POLITIE, item("d-2"))]
        async with served.get(f"{POSTVAK}?{query}") as response:
            body = await response.json()

    assert [one["id"] for one in body["berichten"]] == expected


async def test_the_applicatie_of_another_system_can_not_be_asked_for():
    async with api() as served, served.get(f"{POSTVAK}?applicatie=ANDER") as response:
        assert (await refused(response, 400))["bevindingen"][0]["pad"] == "?applicatie"
    assert served.gateway.postvak.asked == []


async def test_an_empty_postvak_answers_at_once():
    async with api() as served, served.get(POSTVAK) as response:
        assert await response.json() == {"berichten": []}


async def test_a_waiting_request_ends_when_something_comes():
    async with api() as served:

        async def come() -> None:
            await asyncio.sleep(0.1)
            served.gateway.postvak.items = [(POLITIE, item())]
            served.gateway.postvak.bell.set()

        task = asyncio.create_task(come())
        async with asyncio.timeout(3), served.get(f"{POSTVAK}?wacht=60") as response:
            body = await response.json()
        await task

    assert [i["id"] for i in body["berichten"]] == ["d-1"]


async def test_a_waiting_request_ends_when_its_time_is_over():
    async with (
        asyncio.timeout(4),
        api() as served,
        served.get(f"{POSTVAK}?wacht=1") as response,
    ):
        assert await response.json() == {"berichten": []}


async def test_a_client_that_has_gone_is_leased_nothing():
    async with api() as served:
        with pytest.raises(TimeoutError):
            await served.get(f"{POSTVAK}?wacht=60", timeout=aiohttp.ClientTimeout(total=0.2))
        await asyncio.sleep(0.1)
        served.gateway.postvak.bell.set()
        await asyncio.sleep(0.1)

    assert len(served.gateway.postvak.asked) == 1


async def test_a_stop_ends_the_waiting():
    gateway = Gateway(directory=directory())
    app = api_app(gateway, clock=Clock(), answered=Counted())
    listener = await listen(app, host="127.0.0.1", port=0, tls=None)
    headers = {"Authorization": f"Bearer {TOKENS['bvh']}"}
    url = f"http://127.0.0.1:{listener.port}{POSTVAK}?wacht=60"
    async with aiohttp.ClientSession(headers=headers) as session:
        waiting = asyncio.ensure_future(session.get(url))
        await gateway.postvak.waited_for.wait()
        async with asyncio.timeout(3):
            await listener.close()
            response = await waiting
            assert await response.json() == {"berichten": []}


@pytest.mark.parametrize("query", ["wacht=61", "wacht=-1", "wacht=x", "limiet=0", "limiet=101"])
async def test_the_wait_has_bounds(query):
    async with api() as served, served.get(f"{POSTVAK}?{query}") as response:
        assert (await refused(response, 400))["code"] == "request.query"


async def test_the_content_is_given_octet_for_octet():
    octets = b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<a>\xc3\xab</a>\n"
    async with api() as served:
        served.gateway.postvak.items = [(POLITIE, item(content=octets))]
        served.gateway.payloads.octets = octets
        async with served.get(f"{POSTVAK}/d-1/inhoud") as response:
            body = await response.read()
            headers = response.headers

    digest = base64.b64encode(sha256(octets).digest()).decode()
    assert body == octets
    assert headers["Content-Type"] == "application/xml"
    assert headers["Repr-Digest"] == f"sha-256=:{digest}:"


async def test_a_large_content_is_given_whole():
    octets = b"<a>" + b"x" * 5_000_000 + b"</a>"
    async with api() as served:
        served.gateway.postvak.items = [(POLITIE, item(content=octets))]
        served.gateway.payloads.octets = octets
        async with served.get(f"{POSTVAK}/d-1/inhoud") as response:
            assert await response.read() == octets


async def test_content_that_was_destroyed_is_gone():
    async with api() as served:
        served.gateway.postvak.items = [(POLITIE, item())]
        served.gateway.payloads.error = GatewayError("payload.destroyed", "Vernietigd.")
        async with served.get(f"{POSTVAK}/d-1/inhoud") as response:
            assert (await refused(response, 410))["code"] == "payload.destroyed"


@pytest.mark.parametrize(
    "theirs", [(VT, item()), (POLITIE, item(applicatie="ANDER")), (POLITIE, item("d-9"))]
)
async def test_content_of_another_system_is_not_there(theirs):
    async with api() as served:
        served.gateway.postvak.items = [theirs]
        async with served.get(f"{POSTVAK}/d-1/inhoud") as response:
            assert (await refused(response, 404))["code"] == "postvak.unknown"


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_confirmation_may_be_repeated(fresh):
    async with api(fresh=fresh) as served, served.post(f"{POSTVAK}/d-1/bevestiging") as response:
        assert response.status == 200
        body = await response.json()
    assert body == {"id": "d-1", "status": "bevestigd", "herhaald": not fresh}
    assert served.gateway.calls == [("confirm", "d-1", "bvh")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoRoute("postvak.unknown", "Dit bericht staat niet in dit postvak."), 404),
        (DuplicateConflict("postvak.closed", "Al geweigerd."), 409),
    ],
)
async def test_a_confirmation_that_can_not_be(error, status):
    async with api(error=error) as served, served.post(f"{POSTVAK}/d-1/bevestiging") as response:
        assert (await refused(response, status))["code"] == error.code


async def test_a_refusal_carries_code_and_text():
    body = {"code": "StUF058", "omschrijving": "Cliënt onbekend", "details": "Zie…"}
    async with api() as served, served.post(f"{POSTVAK}/d-1/weigering", json=body) as response:
        assert response.status == 200
        assert (await response.json())["status"] == "geweigerd"
    expected = Weigering(code="StUF058", omschrijving="Cliënt onbekend", details="Zie…")
    assert served.gateway.calls == [("refuse", "d-1", "bvh", expected)]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/code"),
        ({"code": "", "omschrijving": "x"}, "/code"),
        ({"code": "12345678", "omschrijving": "x"}, "/code"),
        ({"code": 5, "omschrijving": "x"}, "/code"),
        ({"code": "a", "omschrijving": "x" * 201}, "/omschrijving"),
        ({"code": "a", "omschrijving": "x", "details": "x" * 1001}, "/details"),
        ({"code": "a", "omschrijving": "x", "999990019": "y"}, "/"),
        ([], "/"),
    ],
)
async def test_a_refusal_keeps_the_bounds_of_the_foutbericht(body, path):
    async with api() as served, served.post(f"{POSTVAK}/d-1/weigering", json=body) as response:
        problem = await refused(response, 422)
        text = await response.text()

    assert problem["code"] == "weigering.vorm"
    assert problem["bevindingen"][0]["pad"] == path
    assert "999990019" not in text
    assert served.gateway.calls == []


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["code", "omschrijving", "details"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_refusal_is_within_bounds_or_is_refused(octets):
    try:
        weigering = parse_json(octets, WeigeringBody, code="weigering.vorm").weigering()
    except SchemaViolation:
        return
    assert 1 <= len(weigering.code) <= 7
    assert 1 <= len(weigering.omschrijving) <= 200
    assert len(weigering.details) <= 1000


async def test_a_refusal_is_json_of_bounded_size():
    path = f"{POSTVAK}/d-1/weigering"
    headers = {"Content-Type": "application/json"}
    async with api() as served:
        async with served.post(path, data=b"{", headers=headers) as response:
            assert (await refused(response, 422))["code"] == "weigering.vorm"
        async with served.post(path, data=b"{}", headers=XML) as response:
            await refused(response, 415)
        async with served.post(path, data=b" " * 20_000, headers=headers) as response:
            assert (await refused(response, 413))["code"] == "size.request"


@pytest.mark.parametrize("said", ["100-continue", "999990019"])
async def test_what_a_client_expects_is_never_repeated(said):
    async with api() as served, served.get(BERICHTEN, headers={"Expect": said}) as response:
        assert response.status == 200
        assert "999990019" not in await response.text()
