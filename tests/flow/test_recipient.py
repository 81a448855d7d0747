"""What a recipient at the same installation may see over REST: what was shown to him, no more."""

from contextlib import closing
from dataclasses import replace
from hashlib import sha256

import aiohttp
import pytest
import sqlalchemy as sa

from gateway.credentials import BearerToken, Credentials, Scope, SignIn
from gateway.directory import Backend
from gateway.errors import DuplicateConflict
from gateway.lifecycle import State
from gateway.ports import RequestsWanted
from gateway.rules.officers import Wish
from gateway.store.engine import open_engine
from gateway.web.api.app import api_app
from gateway.wire.toets import Uitkomst
from tests.flow import town as towns
from tests.flow.test_gate import FREE, hand_in, melding
from tests.flow.town import APPLICATIE, HUB, OM, POLITIE, VT
from tests.outbound.tls_files import serving
from tests.web.doubles import Counted

SECRET = "Nee: een lopend onderzoek."


@pytest.fixture
async def town(tmp_path):
    made = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM))
    yield made
    await made.close()


def credentials(token):
    digest = sha256(token.encode()).hexdigest()
    bearer = BearerToken(sha256=digest, scopes=frozenset(Scope))
    return Credentials(ways=frozenset({SignIn.BEARER}), tokens=(bearer,))


@pytest.fixture
async def get(town):
    """Veilig Thuis has its postvak at the police's own installation, and asks with a token."""
    police = town[POLITIE]
    own = replace(police.backend, credentials=credentials("politie"))
    care = Backend(
        name="systeem-vt", party=VT, applicaties=(APPLICATIE[VT],), credentials=credentials("vt")
    )
    parties = dict(police.snapshots.current().parties)
    parties[VT] = replace(parties[VT], local=True)
    await police.change(backends=(own, care), parties=parties)
    app = api_app(police.gateway, clock=town.clock, answered=Counted())
    async with serving(app) as url, aiohttp.ClientSession(url) as session:

        async def ask(path, token="vt", method="GET"):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.request(method, f"/api/v1{path}", headers=headers) as answer:
                body = await answer.read()
                kind = answer.content_type
                return answer.status, (await answer.json()) if "json" in kind else body

        yield ask


async def delivery_of(town, receipt):
    view = await town[POLITIE].store.reader.message(receipt.id)
    return view.deliveries[0]


async def decide(town, outcome):
    (request,) = await town[OM].gateway.deciding.requests(RequestsWanted())
    wish = Wish(outcome=outcome, ground="Aanwijzing 15.1", told=SECRET)
    await town[OM].gateway.deciding.decide(request.id, officer="anders", wish=wish)
    await town.settle()


async def test_what_the_om_refused_is_not_there(town, get):
    receipt = await hand_in(town, melding(aanhouding="ja"))
    await town.settle()
    await decide(town, Uitkomst.NIET)
    delivery = await delivery_of(town, receipt)
    assert delivery.state is State.WITHHELD

    assert await get("/berichten") == (200, {"berichten": [], "volgende": None, "cursor": None})
    for path in (f"/berichten/{receipt.id}", f"/postvak/{delivery.id}/inhoud"):
        assert (await get(path))[0] == 404
    for act in ("bevestiging", "weigering"):
        assert (await get(f"/postvak/{delivery.id}/{act}", method="POST"))[0] in {404, 415}
    assert (await get(f"/berichten/{receipt.id}", token="politie"))[0] == 200


@pytest.mark.parametrize("way", ["inhoud", "bevestiging"])
async def test_what_lost_its_approval_is_held_again_whoever_asks_by_its_id(town, get, way):
    receipt = await hand_in(town, melding())
    delivery = await delivery_of(town, receipt)
    assert delivery.state is State.READY
    gate = town[POLITIE].snapshots.current().gate
    await town[POLITIE].change(gate=replace(gate, approvals=()))

    method = "GET" if way == "inhoud" else "POST"
    assert (await get(f"/postvak/{delivery.id}/{way}", method=method))[0] == 404

    assert (await delivery_of(town, receipt)).state is State.HELD


async def test_read_by_its_id_it_was_shown(town, get):
    receipt = await hand_in(town, melding())
    delivery = await delivery_of(town, receipt)

    status, octets = await get(f"/postvak/{delivery.id}/inhoud")

    assert (status, octets) == (200, melding())
    view = await town[POLITIE].store.reader.message(receipt.id)
    assert view.deliveries[0].state is State.SENT
    assert "postvak.shown" in [row.event.event for row in view.trace]
    assert (await get(f"/postvak/{delivery.id}/bevestiging", method="POST"))[0] == 200


async def test_the_recipient_does_not_see_how_it_came_to_be_released(town, get):
    receipt = await hand_in(town, melding(aanhouding="ja"), replace(FREE, onderzoek=True))
    await town.settle()
    await decide(town, Uitkomst.VRIJGEVEN)
    delivery = await delivery_of(town, receipt)
    await get(f"/postvak/{delivery.id}/inhoud")

    status, seen = await get(f"/berichten/{receipt.id}")

    assert status == 200
    assert {step["gebeurtenis"] for step in seen["stappen"]} == {"postvak.shown"}
    assert seen["toets"] == []
    assert seen["leveringen"][0]["grond"] == ""
    said = str(seen)
    assert not any(word in said for word in ("onderzoek", "aanhouding", "Anders", SECRET))


async def test_other_words_at_the_same_moment_are_not_dropped(town, get):
    """Whoever comes second gets the answer that he would get a moment later."""
    police = town[POLITIE]
    stricter = replace(FREE, onderzoek=True)
    inbox = police.gateway._handing_in._house.inbox
    backend = police.snapshots.current().backends[0]

    class Overtaken:
        """Somebody else hands it in between the thought and the commit."""

        def __getattr__(self, name):
            return getattr(inbox, name)

        async def admit(self, admission):
            object.__setattr__(police.gateway._handing_in._house, "inbox", inbox)
            assert not (await police.gateway.hand_in(melding(), FREE, backend)).held
            return await inbox.admit(admission)

    object.__setattr__(police.gateway._handing_in._house, "inbox", Overtaken())

    with pytest.raises(DuplicateConflict, match=r"duplicate\.aanlevering"):
        await police.gateway.hand_in(melding(), stricter, backend)


FREED = {
    "state = 'ready', ground = 'niet-gegate', next_at = 0": "gate.unproven",
    "state = 'sent', ground = 'niet-gegate', attempt = 1, next_at = 0": "gate.unproven",
    (
        "state = 'ready', ground = 'doorlopend', approval_id = 'DT-2026-01', next_at = 0"
    ): "gate.unproven",
    "state = 'ready', ground = 'individueel', approval_id = 'x', next_at = 0": "gate.individueel",
    "state = 'delivered', ground = 'individueel', approval_id = 'x'": "gate.unproven",
}
"""What somebody writes into a row, and the code in the trace that tells of it: proven wrong, with
an alarm, or held again because no such decision is on file."""


@pytest.mark.parametrize(("edit", "told"), FREED.items())
async def test_a_row_that_somebody_set_free_shows_nothing(town, get, tmp_path, edit, told):
    receipt = await hand_in(town, melding(aanhouding="ja, ter plaatse"))
    delivery = await delivery_of(town, receipt)
    with closing(open_engine(tmp_path / POLITIE / "gateway.db").writer()) as connection:
        connection.execute(sa.text(f"UPDATE deliveries SET {edit} WHERE id = '{delivery.id}'"))

    status, found = await get("/postvak")

    assert (status, found["berichten"]) == (200, [])
    status, body = await get(f"/postvak/{delivery.id}/inhoud")
    assert status == 404, body
    view = await town[POLITIE].store.reader.message(receipt.id)
    alarms = [(a.code, a.subject) for a in await town[POLITIE].store.reader.alarms(limit=5)]
    assert view.trace[-1].event.code == told
    assert "postvak.shown" not in [row.event.event for row in view.trace]
    assert alarms == ([(told, delivery.id)] if told == "gate.unproven" else [])
    assert (view.deliveries[0].state is State.HELD) == (alarms == [])


async def test_what_is_not_proven_keeps_nothing_behind_it_waiting(town, get, tmp_path):
    first = await delivery_of(town, await hand_in(town, melding(aanhouding="ja, ter plaatse")))
    edit = "state = 'ready', ground = 'niet-gegate', next_at = 0"
    with closing(open_engine(tmp_path / POLITIE / "gateway.db").writer()) as connection:
        connection.execute(sa.text(f"UPDATE deliveries SET {edit} WHERE id = '{first.id}'"))
    good = await delivery_of(town, await hand_in(town, melding().replace(b"ref-1", b"ref-2")))

    status, found = await get("/postvak?limiet=1")

    assert (status, [one["id"] for one in found["berichten"]]) == (200, [good.id])


FOR_NOBODY_HERE = {
    "another sender": f"UPDATE messages SET zender = '{OM}' WHERE id = :m",
    "no gate, another way": "UPDATE messages SET direction = 'in' WHERE id = :m",
}


@pytest.mark.parametrize("edit", FOR_NOBODY_HERE.values(), ids=list(FOR_NOBODY_HERE))
async def test_who_sent_it_is_read_in_the_octets(town, get, tmp_path, edit):
    receipt = await hand_in(town, melding(aanhouding="ja, ter plaatse"))
    delivery = await delivery_of(town, receipt)
    free = "UPDATE deliveries SET state = 'ready', ground = 'niet-gegate', next_at = 0"
    with closing(open_engine(tmp_path / POLITIE / "gateway.db").writer()) as connection:
        connection.execute(sa.text(f"{free} WHERE message = :m"), {"m": receipt.id})
        connection.execute(sa.text(edit), {"m": receipt.id})

    status, found = await get("/postvak")
    assert (status, found["berichten"]) == (200, [])
    assert (await get(f"/postvak/{delivery.id}/inhoud"))[0] == 404


async def test_what_the_om_is_asked_lies_in_no_postvak(town, get, tmp_path):
    receipt = await hand_in(town, melding(aanhouding="ja, ter plaatse"))
    with closing(open_engine(tmp_path / POLITIE / "gateway.db").writer()) as connection:
        asked = connection.execute(
            sa.text("SELECT id, message FROM deliveries WHERE ground = 'eigen'")
        ).one()
        connection.execute(
            sa.text(
                "UPDATE deliveries SET channel = 'postvak', recipient = :vt, state = 'ready', "
                "next_at = 0, "
                "applicatie = (SELECT ontvanger_applicatie FROM messages WHERE id = :m), "
                "lane = (SELECT lane FROM deliveries WHERE message = :m) WHERE id = :d"
            ),
            {"vt": VT, "m": receipt.id, "d": asked.id},
        )
        connection.execute(
            sa.text(
                "UPDATE messages SET ontvanger = :vt, ontvanger_applicatie = "
                "(SELECT ontvanger_applicatie FROM messages WHERE id = :m) WHERE id = :q"
            ),
            {"vt": VT, "m": receipt.id, "q": asked.message},
        )

    status, found = await get("/postvak")
    assert (status, found["berichten"]) == (200, [])
    assert (await get(f"/postvak/{asked.id}/inhoud"))[0] == 404


@pytest.mark.parametrize("state", ["ready", "sent"])
async def test_a_decision_that_has_ended_is_not_used_again_by_a_row(town, get, tmp_path, state):
    receipt = await hand_in(town, melding(aanhouding="ja"), replace(FREE, onderzoek=True))
    await town.settle()
    await decide(town, Uitkomst.VRIJGEVEN)
    delivery = await delivery_of(town, receipt)
    town.clock.forward(days=4)
    edit = f"UPDATE deliveries SET state = '{state}', next_at = 0, attempt = 1"
    with closing(open_engine(tmp_path / POLITIE / "gateway.db").writer()) as connection:
        connection.execute(sa.text(f"{edit} WHERE id = '{delivery.id}'"))

    assert (await get("/postvak"))[1]["berichten"] == []
    assert (await get(f"/postvak/{delivery.id}/inhoud"))[0] == 404


async def test_what_was_shown_under_a_decision_is_confirmed_after_it_ended(town, get):
    receipt = await hand_in(town, melding(aanhouding="ja"), replace(FREE, onderzoek=True))
    await town.settle()
    await decide(town, Uitkomst.VRIJGEVEN)
    delivery = await delivery_of(town, receipt)
    assert (await get(f"/postvak/{delivery.id}/inhoud"))[0] == 200
    town.clock.forward(days=4)

    assert (await get(f"/postvak/{delivery.id}/bevestiging", method="POST"))[0] == 200
