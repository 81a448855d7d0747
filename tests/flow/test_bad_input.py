"""Bad input: refused with one cause, one code, and nothing changed but the audit."""

import asyncio
import json
import re
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.directory import Limits
from gateway.lifecycle import State
from gateway.message import EbmsError, ErrorList, Inbound, WireMessage
from gateway.pipeline import Gateway
from gateway.ports import Answer
from gateway.security.certificates import TrustStore
from gateway.security.open import Opened, open_message
from gateway.wire.ebms2 import header as wire
from tests.flow import bad_input as bad
from tests.flow import town as towns
from tests.flow.bad_input import Recipe, make
from tests.flow.town import HUB, NOW, POLITIE, VT, leaf
from tests.sealing import Keys
from tests.vectors.kinds import Acknowledged, Error, Fault, Fo01, Repeated, Vector
from tests.vectors.raw import FILES, Raw
from tests.vectors.signals import TABLE as SIGNALS
from tests.vectors.signals import Signal, Waiting, make_signal, post
from tests.vectors.tampered import TABLE

STUF = "{http://www.egem.nl/StUF/StUF0301}"
NOT_COMPARED = {"audit", "security", "sqlite_sequence"}


@dataclass
class Counted:
    codes: Counter = field(default_factory=Counter)

    def received(self, kind, outcome): ...

    def refused(self, code):
        self.codes[code] += 1

    def attempted(self, kind, outcome, seconds): ...


@dataclass
class Hub:
    """The hub alone; what it wants to send stays in its queue."""

    town: towns.Town
    gateway: Gateway
    counted: Counted
    path: Path

    async def receive(self, inbound: Inbound) -> Answer:
        return await self.gateway.receive(inbound)

    @property
    def store(self):
        return self.town[HUB].store

    def tables(self) -> dict[str, list[tuple]]:
        """Every row of every table, but the audit and payloads that nothing refers to."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            names = [
                n
                for (n,) in connection.execute("select name from sqlite_master where type='table'")
            ]
            rows = {
                name: connection.execute(f'select * from "{name}"').fetchall()
                for name in names
                if name not in NOT_COMPARED and not name.startswith("payload")
            }
            rows["payloads"] = connection.execute(
                "select id from payloads where referenced"
            ).fetchall()
        return rows

    def query(self, statement: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return connection.execute(statement).fetchall()


async def hub_in(folder: Path, profile: str = "osb-rm-e", **changes) -> Hub:
    town = await towns.build(folder, profile=profile, parties=(HUB,))
    if changes:
        await town[HUB].change(**changes)
    counted = Counted()
    gateway = Gateway(replace(town[HUB].gateway._house, count=counted))
    return Hub(town, gateway, counted, folder / HUB / "gateway.db")


@pytest.fixture
async def hub(tmp_path):
    made = await hub_in(tmp_path)
    yield made
    await made.town.close()


def opened(message: WireMessage | None, profile: str, *, at: datetime = NOW) -> Opened:
    """Open an answer of the hub as strictly as the police would."""
    assert message is not None
    claimed = wire.read(message.body, message.content_type, limits=Limits())
    return open_message(
        claimed,
        bad.agreement(POLITIE, profile),
        trust=TrustStore(towns.pki().trust()),
        keyring=Keys(leaf(POLITIE, "encrypt")),
        limits=Limits(),
        at=at,
    )


def added(before: dict, after: dict, table: str) -> list[tuple]:
    return [row for row in after[table] if row not in before[table]]


# --- what is looked at after every vector ---------------------------------------------


def expect_fault(answer: Answer, status: int) -> None:
    assert answer.status == status
    fault = etree.fromstring(answer.message.body)[0][0]
    side = "Server" if status == 503 else "Client"
    assert next((e.tag, e.text) for e in fault) == ("faultcode", f"soap:{side}")
    assert [e.tag for e in fault] == ["faultcode", "faultstring"]


def expect_error(answer: Answer, expected: Error, vector: Vector) -> None:
    assert answer.status == 200
    signal = opened(answer.message, vector.recipe.profile, at=NOW + vector.recipe.at)
    assert isinstance(signal.content, ErrorList)
    assert [Error(e.code, e.location) for e in signal.content.errors] == [expected]
    said = re.search(rb"<eb:MessageId>([^<]+)<", make(vector.recipe).body)
    assert signal.header.ref_to_message_id == said[1].decode()
    if vector.recipe.profile.endswith(("-s", "-e")):
        assert signal.signer.oin == HUB


async def expect_fo01(hub: Hub, code: str, dotted: str, place: str) -> None:
    ((payload,),) = hub.query("select payload_id from messages where direction = 'eigen'")
    octets = await hub.store.payloads.get(payload)
    fo01 = etree.fromstring(octets)
    assert fo01.tag == f"{STUF}Fo01Bericht"
    body = {etree.QName(e).localname: e.text for e in fo01.find(f"{STUF}body")}
    assert body["code"] == code
    assert body["details"].startswith(dotted)
    assert place in body["details"]
    assert [value for value in bad.VALUES if value.encode() in octets] == []


def expect_queued(before: dict, after: dict, hub: Hub, *, fo01: bool) -> None:
    """Only the refusal is on file; only acknowledgement and Fo01 wait, for the sender."""
    fresh = added(before, after, "messages")
    assert len(fresh) == 1 + fo01
    assert hub.query("select count(*) from messages where direction = 'in' and not accepted") == [
        (1,)
    ]
    known = {row[1] for row in before["deliveries"]}
    queued = [
        row[1:]
        for row in hub.query(
            "select id, action, recipient, channel, state from deliveries order by action"
        )
        if row[0] not in known
    ]
    actions = ["Acknowledgment", *(["Fo01Bericht"] if fo01 else [])]
    assert queued == [(action, POLITIE, "ebms2", State.READY) for action in actions]
    assert len(added(before, after, "payloads")) == 1 + fo01
    for table in before.keys() - {"messages", "deliveries", "payloads", "lanes"}:
        assert after[table] == before[table], table


async def expect_no_values(hub: Hub, answer: Answer) -> None:
    told = [str(row) for row in hub.query("select * from audit")]
    told.append(answer.message.body.decode() if answer.message else "")
    assert [(v, line) for line in told for v in bad.VALUES if v in line] == []
    assert await hub.store.verify_chain() is None


def refusals(hub: Hub, seen: int) -> list[str]:
    rows = hub.query(f"select code from audit where seq > {seen} and code <> '' order by seq")
    return [code for (code,) in rows]


@pytest.mark.parametrize("vector", TABLE, ids=lambda v: v.name)
async def test_bad_message_is_refused_and_leaves_nothing(tmp_path, vector):
    hub = await hub_in(tmp_path, vector.recipe.profile, **vector.hub())
    if vector.before is not None:
        assert (await hub.receive(make(vector.before))).status == 204
    before = hub.tables()
    ((seen,),) = hub.query("select coalesce(max(seq), 0) from audit")

    answer = await hub.receive(make(vector.recipe))

    after = hub.tables()
    unavailable = vector.answer == Fault(503)
    assert refusals(hub, seen) == ([] if unavailable or not vector.code else [vector.code])
    assert hub.counted.codes == ({vector.code: 1} if vector.code else {})
    match vector.answer:
        case Fault(status):
            expect_fault(answer, status)
            assert after == before
        case Error() as expected:
            expect_error(answer, expected, vector)
            assert after == before
        case Fo01(code, place):
            assert (answer.status, answer.message) == (204, None)
            expect_queued(before, after, hub, fo01=True)
            await expect_fo01(hub, code, vector.code, place)
        case Acknowledged():
            assert (answer.status, answer.message) == (204, None)
            expect_queued(before, after, hub, fo01=False)
        case Repeated():
            assert (answer.status, answer.message) == (204, None)
            assert after == before
    await expect_no_values(hub, answer)
    await hub.town.close()


@pytest.mark.parametrize("profile", ["osb-rm", "osb-rm-s", "osb-rm-e"])
async def test_the_same_message_without_the_fault_is_taken_in(tmp_path, profile):
    hub = await hub_in(tmp_path, profile)

    answer = await hub.receive(make(Recipe(profile=profile)))

    assert answer.status == 204
    assert hub.query("select accepted from messages") == [(1,)]
    assert hub.counted.codes == {}
    await hub.town.close()


# --- the same message again -----------------------------------------------------------


def acknowledgments(hub: Hub) -> list[tuple]:
    return hub.query(
        "select state, sealed_id from deliveries where action = 'Acknowledgment' order by seq"
    )


async def test_copy_while_the_acknowledgment_waits_adds_nothing(hub):
    await hub.receive(make(Recipe()))
    before = hub.tables()

    answer = await hub.receive(make(Recipe()))

    assert (answer.status, answer.message) == (204, None)
    assert hub.tables() == before
    assert len(acknowledgments(hub)) == 1


async def test_copy_after_the_acknowledgment_left_brings_the_same_one_again(hub):
    wire_tap = swallow(hub)
    await hub.receive(make(Recipe()))
    await hub.town.settle()

    answer = await hub.receive(make(Recipe()))
    await hub.town.settle()

    assert (answer.status, answer.message) == (204, None)
    sent = [m.body for party, m in wire_tap if party == POLITIE]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert len({sealed for _, sealed in acknowledgments(hub)}) == 1
    assert hub.query("select count(*) from messages where direction = 'in'") == [(1,)]
    assert len([p for p, _ in wire_tap if p == VT]) == 1


async def test_copy_of_a_refused_message_brings_no_second_fo01(hub):
    refused = Recipe(document=bad.swap("999990019", "999990018"))
    await hub.receive(make(refused))
    before = hub.tables()

    answer = await hub.receive(make(refused))

    assert (answer.status, answer.message) == (204, None)
    assert hub.tables() == before


async def test_same_document_under_a_new_message_id_is_acknowledged_and_delivered_once(hub):
    await hub.receive(make(Recipe()))

    answer = await hub.receive(make(Recipe(header={"message_id": "melding-2@politie.example"})))

    assert answer.status == 204
    wanted = "select count(*) from deliveries where action = 'vtMeldingDi01'"
    assert hub.query(wanted) == [(1,)]
    assert len(acknowledgments(hub)) == 2


# --- signals --------------------------------------------------------------------------


def swallow(hub: Hub) -> list[tuple]:
    """Take every request of the hub with a bare 204."""
    taken = []

    async def take(_me, endpoint, message):
        taken.append((endpoint.party, message))
        return Answer(status=204)

    hub.town.breaks.append(take)
    return taken


async def waiting_hub(folder: Path) -> tuple[Hub, Waiting]:
    """Return a hub that waits for the acknowledgement of Veilig Thuis."""
    hub = await hub_in(folder)
    taken = swallow(hub)
    await hub.receive(make(Recipe()))
    await hub.town.settle()
    (message,) = [m for party, m in taken if party == VT]
    claimed = wire.read(message.body, message.content_type, limits=Limits())
    seen = open_message(
        claimed,
        bad.agreement(VT),
        trust=TrustStore(towns.pki().trust()),
        keyring=Keys(leaf(VT, "encrypt")),
        limits=Limits(),
        at=hub.town.clock.at,
    )
    return hub, Waiting(
        message_id=seen.header.message_id,
        conversation_id=seen.header.conversation_id,
        references=seen.references,
        at=hub.town.clock.at,
    )


def state(hub: Hub) -> str:
    ((found,),) = hub.query("select state from deliveries where action = 'vtMeldingDi01'")
    return found


@pytest.mark.parametrize("vector", SIGNALS, ids=lambda v: v.name)
async def test_bad_signal_settles_nothing(tmp_path, vector):
    hub, waiting = await waiting_hub(tmp_path)
    before = hub.tables()
    ((seen,),) = hub.query("select max(seq) from audit")

    answer = await hub.receive(post(vector.signal, waiting))

    assert answer.status == vector.status
    assert (answer.message is None) == (vector.status == 204)
    assert refusals(hub, seen) == [vector.code]
    assert hub.tables() == before
    assert state(hub) == State.SENT
    await expect_no_values(hub, answer)
    await hub.town.close()


def many_words(tree) -> None:
    """What adapters write for a person: a trace of many lines, and no place."""
    bad.one(tree, "//eb:Description").text = "java.lang.Exception\n\tat nl.adapter\n" * 200
    bad.one(tree, "//eb:Error").set(f"{{{bad.NS['eb']}}}location", "")


@pytest.mark.parametrize(
    ("signal", "ends"),
    [
        (Signal(), State.DELIVERED),
        (Signal(error=True), State.REFUSED),
        (Signal(error=True, unsigned=many_words), State.REFUSED),
    ],
    ids=["acknowledgment", "error", "error_of_many_words"],
)
async def test_right_signal_settles(tmp_path, signal, ends):
    hub, waiting = await waiting_hub(tmp_path)

    answer = await hub.receive(post(signal, waiting))

    assert (answer.status, answer.message) == (204, None)
    assert state(hub) == ends
    await hub.town.close()


async def test_bad_signal_after_the_right_one_changes_nothing(tmp_path):
    hub, waiting = await waiting_hub(tmp_path)
    await hub.receive(post(Signal(), waiting))

    answer = await hub.receive(post(Signal(error=True), waiting))

    assert answer.status == 204
    assert state(hub) == State.DELIVERED
    await hub.town.close()


async def test_free_words_of_a_partner_reach_no_audit_row(tmp_path):
    hub, waiting = await waiting_hub(tmp_path)
    says = EbmsError("Proefpersoon" * 80, "Error", "Verzonnenstad" * 70, "Proefouder")

    answer = await hub.receive(post(Signal(error=True, says=says), waiting))

    assert (answer.status, state(hub)) == (204, State.REFUSED)
    await expect_no_values(hub, answer)
    ((code,),) = hub.query("select last_code from deliveries where action = 'vtMeldingDi01'")
    assert len(code) <= 256
    await hub.town.close()


# --- answers --------------------------------------------------------------------------


RUBBISH = {
    "html": WireMessage(body=b"<html><body>OK</body></html>", content_type="text/html"),
    "xml_of_another_kind": WireMessage(body=b"<ok/>", content_type="text/xml"),
    "doctype": WireMessage(body=b"<!DOCTYPE x><ok/>", content_type="text/xml"),
    "octets": WireMessage(body=b"\x00\xff\xfe", content_type="text/xml"),
    "no_content_type": WireMessage(body=b"OK", content_type=""),
}


@pytest.mark.parametrize("message", RUBBISH.values(), ids=RUBBISH.keys())
async def test_rubbish_in_the_answer_is_not_delivery(hub, message):
    async def answer(_me, endpoint, _message):
        return Answer(status=200, message=message if endpoint.party == VT else None)

    hub.town.breaks.append(answer)
    await hub.receive(make(Recipe()))
    await hub.town.settle()

    assert state(hub) in {State.READY, State.SENT}
    assert hub.query("select count(*) from evidence") == [(0,)]


FORGED = [v for v in SIGNALS if v.signal.signer is None or v.signal.signer is bad.stranger]


@pytest.mark.parametrize("vector", FORGED, ids=lambda v: v.name)
async def test_forged_signal_in_the_answer_is_not_delivery(hub, vector):
    async def answer(_me, endpoint, message):
        if endpoint.party != VT:
            return Answer(status=204)
        said = re.search(rb"<eb:MessageId>([^<]+)<", message.body)
        waiting = Waiting(message_id=said[1].decode(), conversation_id="x", references=(), at=NOW)
        return Answer(status=200, message=make_signal(vector.signal, waiting))

    hub.town.breaks.append(answer)
    await hub.receive(make(Recipe()))
    await hub.town.settle()

    assert state(hub) in {State.READY, State.SENT}
    assert hub.query("select count(*) from evidence") == [(0,)]


# --- raw files ------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
async def test_raw_message_is_refused_and_leaves_nothing(hub, path):
    raw = Raw.read(path)
    before = hub.tables()

    answer = await hub.receive(
        bad.inbound(
            WireMessage(body=raw.body, content_type=raw.content_type),
            leaf(POLITIE, "tls").certificate,
            NOW,
        )
    )

    assert refusals(hub, 0) == [raw.expect]
    expect_raw(raw, answer)
    assert hub.tables() == before
    await expect_no_values(hub, answer)


def expect_raw(raw: Raw, answer: Answer) -> None:
    kind, _, detail = raw.answer.partition(" ")
    if kind == "fault":
        expect_fault(answer, int(detail))
    elif kind == "nothing":
        assert (answer.status, answer.message) == (204, None)
    else:
        assert answer.status == 200
        (error,) = opened(answer.message, raw.agreement).content.errors
        assert (kind, f"{error.code} {error.location}") == ("error", detail)


# --- whatever comes -------------------------------------------------------------------


async def test_rubbish_fills_no_audit_log(hub):
    for _ in range(50):
        await hub.receive(make(Recipe(wire=lambda m: replace(m, body=b""))))
    await hub.gateway.close()

    rows = hub.query("select code, data from audit where event = 'input.refused'")
    assert [code for code, _ in rows] == ["mime.boundary", "mime.boundary"]
    assert [json.loads(data)["count"] for _, data in rows] == [1, 49]


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 100_000),
        st.integers(0, 30),
        st.sampled_from([b"", b"\0", b"<", b">", b"&#0;", b"\r\n\r\n", b"--=_b", b"<!--", b"\xff"]),
    ),
    min_size=1,
    max_size=3,
)


def changed(octets: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for at, size, new in changes:
        place = at % (len(octets) + 1)
        octets = octets[:place] + new + octets[place + size :]
    return octets


async def receive_once(folder: str, recipe: Recipe) -> tuple[Answer, list[tuple]]:
    hub = await hub_in(Path(folder))
    answer = await hub.receive(make(recipe))
    await expect_no_values(hub, answer)
    accepted = hub.query("select content_sha256 from messages where direction = 'in' and accepted")
    await hub.town.close()
    return answer, accepted


@settings(max_examples=25, deadline=None)
@given(CHANGES)
def test_any_change_on_the_wire_is_harmless(changes):
    recipe = Recipe(wire=lambda m: replace(m, body=changed(m.body, changes)))
    with tempfile.TemporaryDirectory() as folder:
        answer, accepted = asyncio.run(receive_once(f"{folder}/hub", recipe))

    assert answer.status in {200, 204, 500}
    assert accepted in ([], [(sha256(bad.melding()).hexdigest(),)])
    assert bool(accepted) == (answer.status == 204)


@settings(max_examples=25, deadline=None)
@given(CHANGES)
def test_any_document_is_answered(changes):
    recipe = Recipe(document=lambda octets: changed(octets, changes))
    with tempfile.TemporaryDirectory() as folder:
        answer, _ = asyncio.run(receive_once(f"{folder}/hub", recipe))

    assert answer.status == 204
