"""Messages that were refused with a Fo01, on both databases."""

from dataclasses import replace

from gateway.message import Aanlevering, Address, Fault
from gateway.ports import Wanted
from gateway.ports.overview import Pile
from gateway.ports.reading import Answered
from gateway.ports.worklist import Reason
from tests.store.stage import POLITIE, VT, stuurgegevens


async def answer(stage, n, *, by, kind="Fo01Bericht", zender=VT, fault=None):
    said = stuurgegevens(by, zender=Address(organisatie=zender) if zender else None)
    admission = await stage.admission(by, kind=kind, fault=fault, stuurgegevens=said)
    await stage.store.inbox.admit(replace(admission, answers=f"m-{n}"))


async def pages(stage, limit, *, open_only=False):
    after, seen = None, []
    while True:
        page = await stage.store.overview.refusals(after=after, limit=limit, open_only=open_only)
        seen.append([one.message.id for one in page.found])
        if page.last is None:
            return seen
        after = page.last


async def every(stage, *, open_only=False):
    page = await stage.store.overview.refusals(after=None, limit=10, open_only=open_only)
    assert page.last is None
    return page.found


async def test_what_was_refused_is_told_with_when_by_whom_and_why(stage):
    await stage.admit_many(range(1, 4))
    stage.clock.forward(hours=1)
    await answer(stage, 1, by=11, fault=Fault(code="StUF055", place="client"))
    await answer(stage, 2, by=12, kind="Bv01Bericht")

    (one,) = await every(stage)

    assert await stage.store.overview.refusal("m-1") == one
    assert await stage.store.overview.refusal("m-2") is None
    assert (one.message.id, one.at, one.by) == ("m-1", stage.clock.now(), VT)
    assert one.fault == Fault(code="StUF055", place="client")


async def test_one_that_does_not_say_of_whom_it_is_comes_from_who_brought_it(stage):
    await stage.admit(1)
    await answer(stage, 1, by=11, zender=None)

    (one,) = await every(stage)

    assert one.by == POLITIE


async def test_the_pile_is_what_still_waits_for_somebody(stage):
    await stage.admit_many(range(1, 5))
    for n in (1, 2, 3):
        await answer(stage, n, by=10 + n)
    await stage.store.worklist.close("m-1", who="otto", reason=Reason.NEEDLESS, why="gebeld")
    other = Aanlevering(vervangt="ref-2")
    await stage.store.inbox.admit(await stage.admission(5, aanlevering=other))

    assert (await stage.store.overview.piles())[Pile.REFUSED] == 1


async def test_a_fo01_after_another_answer_refuses_nothing(stage):
    await stage.admit(1)
    await answer(stage, 1, by=11, kind="Bv01Bericht")
    await answer(stage, 1, by=12, fault=Fault(code="X1", place="server"))

    assert await pages(stage, 10) == [[]]


async def test_the_first_fo01_counts_and_one_of_before_has_no_code(stage):
    await stage.admit(1)
    await answer(stage, 1, by=11)
    await answer(stage, 1, by=12, fault=Fault(code="X1", place="server"))

    (one,) = await every(stage)

    assert one.fault is None


async def test_pages_miss_nothing_and_end(stage):
    await stage.admit_many(range(1, 6))
    for n in (4, 1, 5, 2):
        await answer(stage, n, by=10 + n)
        stage.clock.forward(seconds=n // 5)  # 4, 1 and 5 at the same moment

    assert await pages(stage, 3) == [["m-2", "m-5", "m-4"], ["m-1"]]
    assert await pages(stage, 4) == [["m-2", "m-5", "m-4", "m-1"]]
    assert await pages(stage, 2, open_only=True) == [["m-1", "m-4"], ["m-5", "m-2"]]


async def test_what_another_message_stands_in_for_is_open_no_more(stage):
    await stage.admit_many(range(1, 4))
    for n in (1, 2, 3):
        await answer(stage, n, by=10 + n)
    await stage.admit(21, aanlevering=Aanlevering(vervangt="ref-1"))
    await stage.admit(22, aanlevering=Aanlevering(vervangt="ref-2"), accepted=False)
    other = stuurgegevens(23, zender=Address(organisatie=POLITIE, applicatie="SUMM-IT"))
    await stage.admit(
        23, aanlevering=Aanlevering(vervangt="ref-3"), stuurgegevens=other, accepted=True
    )

    found = await every(stage)
    still = await every(stage, open_only=True)

    assert [(one.message.id, one.replaced) for one in found] == [
        ("m-3", False), ("m-2", False), ("m-1", True),
    ]  # fmt: skip
    assert [one.message.id for one in still] == ["m-2", "m-3"]
    first, second = found[2].message, found[1].message
    assert (await stage.store.inbox.replacement(first)).id == "m-21"
    assert await stage.store.inbox.replacement(second) is None


async def test_a_list_shows_what_was_answered_so(stage):
    await stage.admit_many(range(1, 6))
    await answer(stage, 1, by=11)
    await answer(stage, 2, by=12, kind="Bv01Bericht")
    await answer(stage, 4, by=14)
    reader = stage.store.reader

    refused = await reader.look_back(Wanted(answer=Answered.REFUSED), limit=1, most=1)
    rest = await reader.look_back(
        Wanted(answer=Answered.REFUSED), below=refused.last, limit=5, most=1
    )
    confirmed = await reader.newest(Wanted(answer=Answered.CONFIRMED), limit=5)

    assert [one.message.id for one in (*refused.found, *rest.found)] == ["m-4", "m-1"]
    assert rest.last is None
    assert [one.message.id for one in confirmed.found] == ["m-2"]
