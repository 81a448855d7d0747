"""What waits for officers, page by page, while others ask and decide."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import DeliveryChannel, NewRequest, RequestPlace, RequestsWanted
from gateway.ports.toets import Verdict, VerdictState
from gateway.wire.toets import Uitkomst
from tests.store.stage import VT

POLICE = Oin("00000099000000000001")


class Desk:
    """Requests of a police, with deadlines of which many are the same."""

    def __init__(self, stage):
        self.stage = stage
        self.n = 0

    def brought(self, n):
        """Return the delivery of a request; nothing here looks at its state."""
        return self.stage.delivery(
            n, channel=DeliveryChannel.DESK, state=State.DELIVERED, cpa_id="", service="", action=""
        )

    async def asked(self, *, hours=24, **changes) -> str:
        """Put a request before the officers; return its id."""
        self.n += 1
        n = self.n
        given = {
            "id": f"v-{n}",
            "holder": POLICE,
            "soort": "vtMeldingDi01",
            "version": "1.0.9",
            "referentienummer": f"ref-{n}",
            "recipient": VT,
            "payload_sha256": "ab" * 32,
            "size": 10,
            "table_version": "T-1",
            "reasons": (),
            "asker": "BVH",
            "acuut": None,
            "deadline": self.stage.clock.now() + timedelta(hours=hours),
            "parket": "",
        }
        admission = await self.stage.admission(n, deliveries=(self.brought(n),))
        request = NewRequest(**(given | changes))
        await self.stage.store.inbox.admit(replace(admission, request=request))
        return request.id

    async def decide(self, id_, **changes) -> None:
        now = self.stage.clock.now()
        given = {
            "id": f"b-{id_}",
            "request": id_,
            "at": now,
            "outcome": Uitkomst.VRIJGEVEN,
            "ground": "Aanwijzing 15.1",
            "told": "",
            "conditions": (),
            "officer": "anders",
            "second": "",
            "known": False,
            "valid_until": now + timedelta(days=1),
            "state": VerdictState.GIVEN,
        }
        self.n += 1
        answer = await self.stage.admission(self.n, deliveries=())
        verdict = Verdict(**(given | changes))
        proposed = verdict.state is VerdictState.PROPOSED
        await self.stage.store.desk.decide(verdict, None if proposed else answer)

    async def page(self, after=None, *, limit=3, **wanted):
        found = await self.stage.store.desk.requests(
            RequestsWanted(after=after, limit=limit, **wanted)
        )
        last = found[-1] if len(found) == limit else None
        place = RequestPlace(deadline=last.deadline, seq=last.seq) if last else None
        return [one.id for one in found], place


@pytest.fixture
def desk(stage):
    return Desk(stage)


async def test_all_that_waits_is_reached_page_by_page_the_most_urgent_first(desk):
    hours = {await desk.asked(hours=hours): hours for hours in (72, 24, 5, 24, 24, 72, 24, 1)}

    seen, place = await desk.page()
    while place is not None:
        more, place = await desk.page(place)
        seen += more

    assert seen == sorted(hours, key=lambda id_: (hours[id_], int(id_[2:])))


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_that_stays_open_is_missed_or_shown_twice(desk, seed):
    dice = random.Random(seed)
    old = [await desk.asked(hours=dice.choice([1, 24, 24, 72])) for _ in range(12)]
    is_open = set(old)

    seen, place = await desk.page()
    while place is not None:
        for id_ in dice.sample(sorted(is_open), 2):
            await desk.decide(id_)
            is_open.discard(id_)
        await desk.asked(hours=dice.choice([1, 24, 72]))
        more, place = await desk.page(place)
        seen += more

    assert len(seen) == len(set(seen))
    assert is_open <= set(seen)


async def test_the_request_at_which_a_page_ended_may_be_decided_meanwhile(desk):
    ids = [await desk.asked() for _ in range(5)]
    first, place = await desk.page(limit=2)
    for id_ in first:
        await desk.decide(id_)

    assert (await desk.page(place, limit=2))[0] == ids[2:4]


async def test_of_a_parket_only_what_lies_there(desk):
    ids = [await desk.asked(parket=parket) for parket in ("Rotterdam", "Assen", "Rotterdam")]

    first, place = await desk.page(limit=1, parket="Rotterdam")

    assert (first, await desk.page(place, parket="Rotterdam")) == ([ids[0]], ([ids[2]], None))


async def test_a_decision_that_waits_for_a_second_officer_is_told(desk, stage):
    id_ = await desk.asked()
    assert (await stage.store.desk.request(id_)).proposed_by == ""

    await desk.decide(id_, state=VerdictState.PROPOSED)
    assert (await stage.store.desk.request(id_)).proposed_by == "anders"
    await stage.store.desk.second(f"b-{id_}", officer="bos", answer=None, why="eerst lezen")
    assert (await stage.store.desk.request(id_)).proposed_by == ""


async def test_a_request_warns_officers_once_after_a_restart_and_a_clock_that_went_back(
    desk, stage
):
    id_ = await desk.asked(hours=24)
    for hours in (12, 18, 22):
        stage.clock.forward(hours=hours - 2)
        await stage.store.desk.watch((0.5, 0.75, 0.9))
        await stage.reopen()
        stage.clock.forward(hours=2)
        await stage.store.desk.watch((0.5, 0.75, 0.9))
        stage.clock.forward(hours=-hours)
        await stage.store.desk.watch((0.5, 0.75, 0.9))

    rows = stage.rows("SELECT event, code FROM audit ORDER BY n")
    told = [tuple(row) for row in rows if row.event in {"toets.warned", "toets.escalated"}]
    assert told == [
        ("toets.warned", ""),
        ("toets.escalated", ""),
        ("toets.escalated", "toets.verzoek"),
    ]
    raised = stage.rows("SELECT code, subject FROM alarms")
    assert [tuple(row) for row in raised] == [("toets.verzoek", id_)]
    assert (await stage.store.desk.request(id_)).closed_at is None


async def test_the_messages_that_a_request_names_are_found_when_they_were_asked_here(desk, stage):
    part, sent_back = await desk.asked(), await desk.asked()
    await desk.asked(referentienummer="ref-1", holder=Oin("00000099000000000009"))
    one = await desk.asked(part_of="ref-1", replaces="ref-2")
    lonely = await desk.asked(part_of="ref-77")
    store = stage.store.desk

    found = await store.linked(await store.request(one), limit=5)

    assert [r.id for r in found] == [sent_back, part]
    assert await store.linked(await store.request(lonely), limit=5) == ()
    assert await store.linked(await store.request(part), limit=5) == ()
