"""What people do about messages that were refused with a Fo01, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import NoRoute, PolicyViolation
from gateway.message import Aanlevering
from gateway.ports.worklist import Claim, Closing, Reason

NO_LONGER = {"reason": Reason.OTHERWISE, "why": "gebeld met de ontvanger"}


async def refused(stage, *numbers):
    for n in numbers:
        await stage.admit(n)
        admission = await stage.admission(10 + n, kind="Fo01Bericht")
        await stage.store.inbox.admit(replace(admission, answers=f"m-{n}"))


def soon(stage):
    return stage.clock.now() + timedelta(hours=4)


async def told(stage):
    rows = await stage.store.reader.audit(after=0, limit=100)
    events = [row.event for row in rows if row.event.event.startswith("refusal.")]
    return [(e.event, e.message, e.actor, e.data) for e in events]


async def open_ones(stage):
    page = await stage.store.overview.refusals(after=None, limit=10, open_only=True)
    return [one.message.id for one in page.found]


async def test_who_works_on_it_is_seen_and_written_down(stage):
    await refused(stage, 1)
    until = soon(stage)
    await stage.store.worklist.take("m-1", who="otto", until=until)

    one = await stage.store.overview.refusal("m-1")
    assert one.claim == Claim(who="otto", until=until)

    await stage.store.worklist.take("m-1", who="olga", until=until)
    assert (await stage.store.overview.refusal("m-1")).claim.who == "olga"
    with pytest.raises(PolicyViolation, match=r"geweigerd\.genomen"):
        await stage.store.worklist.let_go("m-1", who="otto")
    await stage.store.worklist.let_go("m-1", who="olga")

    assert (await stage.store.overview.refusal("m-1")).claim is None
    said = {"until": until.isoformat(timespec="seconds")}
    assert await told(stage) == [
        ("refusal.taken", "m-1", "otto", said),
        ("refusal.taken", "m-1", "olga", said),
        ("refusal.let_go", "m-1", "olga", {}),
    ]


async def test_what_another_works_on_is_closed_by_nobody_else_until_that_is_over(stage):
    await refused(stage, 1)
    await stage.store.worklist.take("m-1", who="otto", until=soon(stage))
    with pytest.raises(PolicyViolation, match=r"geweigerd\.genomen"):
        await stage.store.worklist.close("m-1", who="olga", **NO_LONGER)
    stage.clock.forward(hours=4)

    await stage.store.worklist.close("m-1", who="olga", **NO_LONGER)

    assert (await stage.store.overview.refusal("m-1")).closing.who == "olga"


async def test_what_is_closed_leaves_the_list_with_its_reason_and_stays_so(stage):
    await refused(stage, 1, 2)
    await stage.store.worklist.close("m-1", who="otto", **NO_LONGER)

    assert await open_ones(stage) == ["m-2"]
    page = await stage.store.overview.refusals(after=None, limit=10, open_only=False)
    assert page.found[1].closing == Closing(
        at=stage.clock.now(), who="otto", reason=Reason.OTHERWISE, why=NO_LONGER["why"]
    )
    assert await told(stage) == [
        ("refusal.closed", "m-1", "otto", {"ground": "anders_gemeld", "reason": NO_LONGER["why"]})
    ]
    for change in (
        stage.store.worklist.close("m-1", who="olga", **NO_LONGER),
        stage.store.worklist.take("m-1", who="olga", until=soon(stage)),
        stage.store.worklist.let_go("m-1", who="otto"),
    ):
        with pytest.raises(PolicyViolation, match=r"geweigerd\.klaar"):
            await change


async def test_two_who_close_at_once_close_it_once(stage):
    await refused(stage, 1)
    closing = (stage.store.worklist.close("m-1", who=who, **NO_LONGER) for who in ("otto", "olga"))

    done = await asyncio.gather(*closing, return_exceptions=True)

    assert sorted(str(one).partition(":")[0] for one in done) == ["None", "geweigerd.klaar"]
    assert len(await told(stage)) == 1


async def test_only_what_was_refused_and_stands_open_is_worked_on(stage):
    await stage.admit(1)
    await refused(stage, 2)
    await stage.admit(22, aanlevering=Aanlevering(vervangt="ref-2"))

    with pytest.raises(NoRoute, match=r"bericht\.onvindbaar"):
        await stage.store.worklist.take("m-9", who="otto", until=soon(stage))
    with pytest.raises(PolicyViolation, match=r"geweigerd\.niet"):
        await stage.store.worklist.take("m-1", who="otto", until=soon(stage))
    with pytest.raises(PolicyViolation, match=r"geweigerd\.klaar"):
        await stage.store.worklist.close("m-2", who="otto", **NO_LONGER)


async def test_it_is_told_whether_the_content_is_still_there(stage):
    await refused(stage, 1)
    one = await stage.store.overview.refusal("m-1")
    assert one.kept

    await stage.store.payloads.destroy((one.message.payload_id,))

    assert not (await stage.store.overview.refusal("m-1")).kept
