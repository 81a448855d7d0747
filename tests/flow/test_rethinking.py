"""Another process loaded a changed directory a moment before this one did."""

from gateway.lifecycle import State
from tests.flow.test_melding import hand_in, melding, waiting
from tests.flow.town import HUB, POLITIE, VT


async def test_a_message_that_comes_meanwhile_is_answered_by_the_new_directory(town):
    """A 503 would keep the partner away for half a minute, each time that a file changes."""
    await hand_in(town, melding("ref-1"))
    await town[HUB].overtaken()

    await town.settle()

    assert next(answer.status for _, to, _, answer in town.wire if to == HUB) < 300
    assert len(await waiting(town)) == 1


async def test_a_hand_in_that_comes_meanwhile_is_taken(town):
    await town[POLITIE].overtaken()

    await hand_in(town, melding("ref-1"))
    await town.settle()

    assert len(await waiting(town)) == 1


async def test_a_confirmation_that_comes_meanwhile_is_taken(town):
    await hand_in(town, melding("ref-1"))
    await town.settle()
    (item,) = await waiting(town)
    await town[VT].overtaken()

    assert await town[VT].gateway.confirm(item.delivery, town[VT].backend)

    view = await town[VT].message("ref-1")
    assert [d.state for d in view.deliveries if d.recipient == VT] == [State.DELIVERED]
