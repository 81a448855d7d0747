import pytest
import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import DeliveryKind, GaveUp, LostTrack, Wanted
from gateway.store.audit import Break
from tests.store.stage import POLITIE, VT, event


async def test_the_chain_holds_over_restarts_and_writers(stage):
    await stage.admit_many(range(3))
    await stage.reopen()
    await stage.admit(3)
    await stage.store.close()
    await stage.open("second")
    await stage.admit(4)

    assert await stage.store.verify_chain() is None
    rows = await stage.store.reader.audit(after=0, limit=100)
    assert {row.writer.partition("/")[0] for row in rows} == {"test", "second"}


@pytest.mark.parametrize("statement", ["UPDATE audit SET code = 'x'", "DELETE FROM audit"])
async def test_the_database_refuses_to_change_audit_rows(stage, statement):
    await stage.admit(1)

    with pytest.raises(sa.exc.DatabaseError, match="never changed"):
        stage.raw(statement)


@pytest.mark.parametrize(
    ("statement", "n", "code"),
    [
        ("UPDATE audit SET code = 'x' WHERE n = 2", 2, "audit.hash"),
        ("UPDATE audit SET at = at + 1 WHERE n = 3", 3, "audit.hash"),
        ("UPDATE audit SET data = '[]' WHERE n = 4", 4, "audit.hash"),
        ("DELETE FROM audit WHERE n = 2", 2, "audit.gap"),
        ("DELETE FROM audit WHERE n = 1", 1, "audit.gap"),
        ("UPDATE audit SET previous = hash WHERE n = 2", 2, "audit.previous"),
    ],
)
async def test_the_first_break_is_found(alone, statement, n, code):
    await alone.admit_many(range(4))
    (chain,) = {row.writer for row in await alone.store.reader.audit(after=0, limit=100)}
    alone.unguard_audit()
    alone.raw(statement)

    assert await alone.store.verify_chain() == Break(chain, n, code)


async def test_what_is_rolled_back_leaves_no_gap(stage):
    await stage.admit(1)
    await stage.store.sync_epoch("second")
    with pytest.raises(Exception, match="epoch"):
        await stage.admit(2)
    await stage.store.inbox.note(event("input.refused", stage.clock.now()))

    assert await stage.store.verify_chain() is None


async def test_every_change_of_state_has_its_row(stage):
    await stage.admit(1)
    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, GaveUp(code="http.404"), ())

    states = [row.event.data.get("state") for row in (await stage.view()).trace]

    assert states == [None, None, "claimed", "dead"]


# --- reading --------------------------------------------------------------------------


async def test_pages_go_back_in_time(stage):
    await stage.admit_many(range(5))

    page = await stage.store.reader.messages(party=None, before=None, limit=2)
    older = await stage.store.reader.messages(party=None, before=page[-1].id, limit=10)

    assert [m.id for m in page] == ["m-4", "m-3"]
    assert [m.id for m in older] == ["m-2", "m-1", "m-0"]
    assert await stage.store.reader.messages(party=None, before="none", limit=10) == ()


async def test_a_party_reads_its_own_and_its_postvak(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))
    await stage.admit(2)
    await stage.admit(3, party=VT)

    async def ids(party):
        found = await stage.store.reader.messages(party=party, before=None, limit=10)
        return [m.id for m in found]

    assert await ids(VT) == ["m-3", "m-1"]
    assert await ids(POLITIE) == ["m-2", "m-1"]
    assert await ids(Oin("9")) == []


async def test_a_list_shows_the_state_of_each_message_and_picks_by_it(stage):
    await stage.admit_many(range(3))
    signal = stage.delivery(9, kind=DeliveryKind.SIGNAL)
    await stage.admit(3, deliveries=(stage.postvak(3), signal))
    claims = {claim.message.id: claim for claim in await stage.claim()}
    await stage.store.queue.settle(claims["m-1"], LostTrack(code="answer.lost"), ())

    async def listed(**wanted):
        found = await stage.store.reader.newest(Wanted(**wanted), limit=3)
        return [(one.message.id, *one.states) for one in found.found]

    assert await listed() == [
        ("m-3", State.READY),
        ("m-2", State.CLAIMED),
        ("m-1", State.UNKNOWN),
    ]
    assert await listed(state=State.UNKNOWN) == [("m-1", State.UNKNOWN)]
    assert await listed(state=State.CLAIMED) == [("m-2", State.CLAIMED), ("m-0", State.CLAIMED)]
    assert await listed(party=VT) == [("m-3", State.READY)]


async def test_audit_rows_are_read_in_pages(stage):
    await stage.admit_many(range(3))

    first = await stage.store.reader.audit(after=0, limit=3)
    rest = await stage.store.reader.audit(after=first[-1].position, limit=100)

    positions = [row.position for row in (*first, *rest)]
    assert positions == sorted(set(positions))
    assert len(positions) == 7


async def test_the_figures_count_states(stage):
    await stage.admit(1)
    await stage.admit(2, deliveries=(stage.delivery(2, state=State.HELD),))
    await stage.admit(3, deliveries=(stage.postvak(3),))

    figures = await stage.store.reader.figures()

    assert (figures["delivery.ready"], figures["delivery.held"]) == (2, 1)
    assert (figures["due"], figures["postvak.waiting"], figures["unconfirmed"]) == (1, 1, 0)
    assert figures["signal.ready"] == 0


async def test_an_unknown_message_is_none(stage):
    assert await stage.store.reader.message("none") is None
