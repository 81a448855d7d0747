"""The OM's own system decides over REST, for the officers that it may speak for."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

import aiohttp
import pytest

from gateway.credentials import BearerToken, Credentials, Scope, SignIn
from gateway.lifecycle import State
from gateway.web.api import cursor
from gateway.web.api.app import api_app
from gateway.web.intake import IntakeLimits
from gateway.web.listener import ListenerLimits
from tests.flow import town as towns
from tests.flow.test_gate import FREE, hand_in, melding
from tests.flow.test_toets import arrived, state_of
from tests.flow.town import HUB, OM, ON_BOTH, POLITIE, VT, Town
from tests.outbound.tls_files import serving
from tests.web.doubles import Counted

TOKEN = "het-token-van-het-om"
LOOKS = "het-token-dat-alleen-kijkt"
LIST = "/api/v1/toetsverzoeken"
RELEASE = {"officier": "anders", "uitkomst": "vrijgeven", "grond": "Aanwijzing 15.1"}


def token(text, *scopes):
    return BearerToken(sha256=sha256(text.encode()).hexdigest(), scopes=frozenset(scopes))


@dataclass
class Desk:
    town: Town
    session: aiohttp.ClientSession
    id: str = ""
    receipt: object = None

    async def call(self, method, path, *, looks=False, **given):
        headers = {"Authorization": f"Bearer {LOOKS if looks else TOKEN}"}
        async with self.session.request(method, path, headers=headers, **given) as answer:
            text = await answer.read()
            if answer.content_type.endswith("json"):
                return answer.status, await answer.json(content_type=None)
            return answer.status, text

    async def post(self, path, body, **given):
        return await self.call("POST", path, json=body, **given)

    @property
    def path(self):
        return f"{LIST}/{self.id}"


@asynccontextmanager
async def served(folder, intake=None, place=towns.in_a_file):
    town = await towns.build(folder, parties=(POLITIE, HUB, VT, OM), place=place)
    backend = replace(
        town[OM].backend,
        officers=frozenset({"anders", "bos"}),
        credentials=Credentials(
            ways=frozenset({SignIn.BEARER}),
            tokens=(
                token(TOKEN, Scope.DECIDE, Scope.DECIDE_LOOK),
                token(LOOKS, Scope.DECIDE_LOOK),
            ),
        ),
    )
    await town[OM].change(backends=(backend,))
    app = api_app(town[OM].gateway, clock=town.clock, answered=Counted(), intake=intake)
    bounds = ListenerLimits(lingering=timedelta(seconds=0.2), grace=timedelta(seconds=2))
    async with serving(app, limits=bounds) as url, aiohttp.ClientSession(url) as session:
        yield Desk(town, session)
    await town.close()


@pytest.fixture
async def desk(tmp_path, place):
    async with served(tmp_path, place=place) as made:
        await held(made)
        yield made


async def held(desk):
    desk.receipt = await hand_in(desk.town, melding(aanhouding="ja, ter plaatse"))
    await desk.town.settle()
    _, listed = await desk.call("GET", LIST)
    (one,) = listed["verzoeken"]
    desk.id = one["id"]


async def test_what_there_is_no_room_for_is_not_read(tmp_path):
    query = {"officier": "anders", "doel": "toets"}
    async with served(tmp_path, IntakeLimits(owner_bytes=1_000)) as desk:
        await held(desk)
        status, problem = await desk.call("GET", f"{desk.path}/inhoud", params=query)
        assert (status, problem["code"]) == (429, "limit.memory")
        rows = await desk.town[OM].store.reader.audit(after=0, limit=200)
    assert "toets.read" not in [row.event.event for row in rows]


@ON_BOTH
async def test_an_officer_looks_reads_takes_and_decides(desk):
    status, case = await desk.call("GET", desk.path)
    assert (status, case["verzoek"]["soort"]) == (200, "vtMeldingDi01")
    assert case["verzoek"]["redenen"][0]["regel"] == "OM-001"

    query = {"officier": "anders", "doel": "toets"}
    status, octets = await desk.call("GET", f"{desk.path}/inhoud", params=query)
    assert (status, sha256(octets).hexdigest()) == (200, case["verzoek"]["sha256"])

    status, taken = await desk.post(f"{desk.path}/behandelaar", {"officier": "anders"})
    assert (status, taken["officier"]) == (200, "anders")

    status, verdict = await desk.post(f"{desk.path}/besluiten", RELEASE)
    await desk.town.settle()
    assert (status, verdict["status"]) == (201, "genomen")
    assert await state_of(desk.town, desk.receipt) is State.DELIVERED
    assert "vtMeldingDi01" in await arrived(desk.town)
    events = [r.event for r in await desk.town[OM].store.reader.audit(after=0, limit=200)]
    (read,) = [e for e in events if e.event == "toets.read"]
    assert (read.actor, read.data["purpose"]) == ("anders", "toets")


async def test_all_that_waits_is_reached_by_the_cursor_of_its_list(desk):
    for number in ("ref-2", "ref-3", "ref-4"):
        await hand_in(
            desk.town, melding(aanhouding="ja, ter plaatse").replace(b"ref-1", number.encode())
        )
    await desk.town.settle()

    seen, place = [], {}
    while True:
        status, found = await desk.call("GET", LIST, params={"limiet": "2", **place})
        assert status == 200
        seen += [one["referentienummer"] for one in found["verzoeken"]]
        if found["cursor"] is None:
            break
        place = {"na": found["cursor"]}
    assert sorted(seen) == ["ref-1", "ref-2", "ref-3", "ref-4"]

    status, everything = await desk.call("GET", LIST, params={"alle": "true", "limiet": "1"})
    place = {"alle": "true", "voor": everything["cursor"]}
    status, rest = await desk.call("GET", LIST, params=place)
    numbers = [one["referentienummer"] for one in rest["verzoeken"]]
    assert (status, numbers) == (200, ["ref-3", "ref-2", "ref-1"])


@pytest.mark.parametrize(
    "query",
    [
        {"na": cursor.write(7)},
        {"na": cursor.write(1 << 62, 1)},
        {"na": cursor.write(1, 1 << 63)},
        {"na": cursor.write(1, 2), "alle": "true"},
        {"voor": cursor.write(7)},
        {"voor": cursor.write(1, 2), "alle": "true"},
        {"na": cursor.write(1, 2) + "0"},
    ],
    ids=lambda query: " ".join(f"{k}={v}" for k, v in query.items()),
)
async def test_a_cursor_of_another_list_is_refused(desk, query):
    status, problem = await desk.call("GET", LIST, params=query)

    assert (status, problem["code"]) == (400, "request.cursor")
    assert problem["bevindingen"][0]["pad"] == ("?na" if "na" in query else "?voor")


async def test_the_messages_that_a_request_names_stand_beside_it(desk):
    said = replace(FREE, deel_van="ref-1", vervangt="ref-1")
    await hand_in(desk.town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"), said)
    await desk.town.settle()
    _, found = await desk.call("GET", LIST)
    (id_,) = [v["id"] for v in found["verzoeken"] if v["referentienummer"] == "ref-2"]

    _, case = await desk.call("GET", f"{LIST}/{id_}")

    request = case["verzoek"]
    assert (request["deelVan"], request["vervangt"]) == ("ref-1", "ref-1")
    assert [one["id"] for one in case["genoemd"]] == [desk.id]


async def test_taken_by_one_it_is_not_decided_by_another(desk):
    await desk.post(f"{desk.path}/behandelaar", {"officier": "bos"})

    status, problem = await desk.post(f"{desk.path}/besluiten", RELEASE)
    assert (status, problem["code"]) == (409, "toets.genomen")

    await desk.post(f"{desk.path}/vrijmaking", {"officier": "bos"})
    status, _ = await desk.post(f"{desk.path}/besluiten", RELEASE)
    assert status == 201


@ON_BOTH
async def test_a_second_officer_confirms_where_the_category_asks_it(desk):
    settings = desk.town[OM].snapshots.current().deciding
    asks = settings.model_copy(update={"tweede_officier": ("aanhouding",)})
    await desk.town[OM].change(deciding=asks)

    status, verdict = await desk.post(f"{desk.path}/besluiten", RELEASE)
    await desk.town.settle()
    assert (status, verdict["status"]) == (201, "wacht op tweede officier")
    assert await state_of(desk.town, desk.receipt) is State.HELD

    path = f"/api/v1/toetsbesluiten/{verdict['id']}"
    status, problem = await desk.post(f"{path}/bevestiging", {"officier": "anders"})
    assert (status, problem["code"]) == (403, "toets.vier_ogen")
    status, again = await desk.post(f"{desk.path}/besluiten", RELEASE)
    assert (status, again["code"]) == (409, "toets.wacht_op_tweede")
    status, _ = await desk.post(f"{path}/bevestiging", {"officier": "bos"})
    await desk.town.settle()
    assert status == 200
    assert await state_of(desk.town, desk.receipt) is State.DELIVERED


async def test_one_person_under_two_ids_does_not_confirm(desk):
    directory = desk.town[OM].snapshots.current()
    asks = directory.deciding.model_copy(update={"tweede_officier": ("aanhouding",)})
    first = next(one for one in directory.officers if one.id == "anders")
    again = first.model_copy(update={"id": "bos"})
    await desk.town[OM].change(deciding=asks, officers=(first, again))
    _, verdict = await desk.post(f"{desk.path}/besluiten", RELEASE)

    path = f"/api/v1/toetsbesluiten/{verdict['id']}/bevestiging"
    status, problem = await desk.post(path, {"officier": "bos"})
    await desk.town.settle()

    assert (status, problem["code"]) == (403, "toets.vier_ogen")
    assert await state_of(desk.town, desk.receipt) is State.HELD


@ON_BOTH
async def test_what_was_delivered_is_withdrawn_too_late(desk):
    _, verdict = await desk.post(f"{desk.path}/besluiten", RELEASE)
    await desk.town.settle()
    body = {"officier": "anders", "reden": "nieuw feit"}

    status, _ = await desk.post(f"/api/v1/toetsbesluiten/{verdict['id']}/intrekking", body)
    await desk.town.settle()

    assert status == 200
    _, case = await desk.call("GET", desk.path)
    assert case["besluiten"][0]["status"] == "te laat ingetrokken"


MISUSE = {
    "wrong_officer": ("besluiten", RELEASE | {"officier": "claes"}, 403, "toets.officier.namens"),
    "no_ground": ("besluiten", RELEASE | {"grond": " "}, 422, "toets.besluit.grond"),
    "no_outcome": ("besluiten", RELEASE | {"uitkomst": "misschien"}, 422, "toets.vorm"),
    "refusal_without_words": (
        "besluiten",
        RELEASE | {"uitkomst": "nietVrijgeven"},
        422,
        "toets.besluit.melding",
    ),
    "conditions_that_are_not_there": (
        "besluiten",
        RELEASE | {"uitkomst": "vrijgevenOnderVoorwaarden"},
        422,
        "toets.besluit.voorwaarden",
    ),
    "conditions_without_being_conditional": (
        "besluiten",
        RELEASE | {"voorwaarden": [{"code": "V1", "tekst": "x"}]},
        422,
        "toets.besluit.voorwaarden",
    ),
    "for_ever": (
        "besluiten",
        RELEASE | {"geldigTot": "2099-01-01T00:00:00Z"},
        422,
        "toets.besluit.duur",
    ),
    "without_a_zone": (
        "besluiten",
        RELEASE | {"geldigTot": "2026-12-01T00:00:00"},
        422,
        "toets.vorm",
    ),
    "a_ground_that_no_document_can_hold": (
        "besluiten",
        RELEASE | {"grond": "a\x01b"},
        422,
        "toets.besluit.grond",
    ),
    "words_that_no_document_can_hold": (
        "besluiten",
        RELEASE | {"uitkomst": "nietVrijgeven", "teMelden": "a\uffffb"},
        422,
        "toets.besluit.grond",
    ),
    "a_condition_that_no_document_can_hold": (
        "besluiten",
        RELEASE
        | {
            "uitkomst": "vrijgevenOnderVoorwaarden",
            "voorwaarden": [{"code": "V1", "tekst": "a\x00b"}],
        },
        422,
        "toets.besluit.voorwaarden",
    ),
    "a_condition_that_says_nothing": (
        "besluiten",
        RELEASE
        | {
            "uitkomst": "vrijgevenOnderVoorwaarden",
            "voorwaarden": [{"code": "V1", "tekst": " "}],
        },
        422,
        "toets.besluit.voorwaarden",
    ),
    "too_many_words": ("besluiten", RELEASE | {"grond": "x" * 2_001}, 422, "toets.vorm"),
    "an_unknown_field": ("besluiten", RELEASE | {"altijd": True}, 422, "toets.vorm"),
    "no_body": ("besluiten", {}, 422, "toets.vorm"),
    "take_for_another": ("behandelaar", {"officier": "claes"}, 403, "toets.officier.namens"),
}


@pytest.mark.parametrize("name", MISUSE)
async def test_misuse_is_told_and_changes_nothing(desk, name):
    place, body, status, code = MISUSE[name]

    got, problem = await desk.post(f"{desk.path}/{place}", body)
    await desk.town.settle()

    assert (got, problem["code"]) == (status, code)
    assert await state_of(desk.town, desk.receipt) is State.HELD
    _, case = await desk.call("GET", desk.path)
    assert case["besluiten"] == []


@ON_BOTH
async def test_a_token_that_looks_does_not_decide(desk):
    status, problem = await desk.post(f"{desk.path}/besluiten", RELEASE, looks=True)

    assert (status, problem["code"]) == (403, "token.scope")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 400, "request.query"),
        ({"officier": "anders"}, 400, "request.query"),
        ({"officier": "anders", "doel": " x "}, 422, "toets.doel"),
        ({"officier": "claes", "doel": "toets"}, 403, "toets.officier.namens"),
    ],
)
async def test_nobody_reads_without_a_name_and_a_purpose(desk, query, status, code):
    got, problem = await desk.call("GET", f"{desk.path}/inhoud", params=query)

    assert (got, problem["code"]) == (status, code)


async def test_what_is_not_there_is_not_found(desk):
    assert (await desk.call("GET", f"{LIST}/nergens"))[0] == 404
    body = {"officier": "anders", "reden": "zomaar"}
    assert (await desk.post("/api/v1/toetsbesluiten/nergens/intrekking", body))[0] == 404


async def test_a_closed_request_is_not_decided_twice(desk):
    await desk.post(f"{desk.path}/besluiten", RELEASE)

    status, problem = await desk.post(f"{desk.path}/besluiten", RELEASE)

    assert (status, problem["code"]) == (409, "toets.gesloten")
