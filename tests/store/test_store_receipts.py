"""What comes back on letters, on both databases."""

from datetime import timedelta
from hashlib import sha256

import pytest

from gateway.errors import StaleSnapshot
from gateway.lifecycle import State
from gateway.ports import HandedOver, LostTrack
from gateway.ports.receipts import KnownAs, Receipt
from gateway.rules.receipts import Effect, Word
from gateway.store.repeats import MOST
from tests.store.test_store_mail import leaves, letter

MAIL = "ab12@gateway.example"
AGAIN = timedelta(minutes=15)


def known_as(n):
    return KnownAs(reference=sha256(f"attempt-{n}".encode()).hexdigest(), mail=MAIL)


async def post(stage, n=1, *, lost=False):
    """Hand a letter over, the n-th time."""
    (claim,) = await stage.claim()
    await stage.store.queue.posting(claim, known_as(n), leaves(stage))
    until = stage.clock.now() + timedelta(hours=4)
    outcome = LostTrack(code="smtp.unanswered") if lost else HandedOver(until=until)
    await stage.store.queue.settle(claim, outcome, ())
    return claim


async def posted(stage, **changes):
    await stage.admit(deliveries=(letter(stage, **changes),))
    return await post(stage)


def receipt(word, n=1, **changes):
    given = {
        "word": word,
        "delivery": "l-1",
        "reference": known_as(n).reference if n else "",
        "evidence": "cd" * 32,
        "unsigned_close": True,
        "again": AGAIN,
    }
    return Receipt(**(given | changes))


async def take(stage, word, n=1, **changes):
    return await stage.store.receipts.take(receipt(word, n, **changes))


async def open_alarms(stage):
    return {(alarm.code, alarm.reason) for alarm in await stage.store.reader.alarms(limit=9)}


async def test_a_letter_is_found_by_what_its_server_was_told_and_by_its_mail(stage):
    await posted(stage)
    await stage.admit(2, deliveries=(letter(stage, 2),))

    by_reference = await stage.store.receipts.posted(reference=known_as(1).reference)
    by_mail = await stage.store.receipts.posted(mail=MAIL)

    assert by_reference == by_mail
    assert (by_mail.delivery, by_mail.attempt, by_mail.mail) == ("l-1", 1, MAIL)
    assert by_mail.payload_sha256 == (await stage.message()).content_sha256


@pytest.mark.parametrize("named", [{"reference": "0" * 64}, {"mail": "x@y"}, {"mail": ""}, {}])
async def test_what_never_left_is_not_found(stage, named):
    await posted(stage)

    assert await stage.store.receipts.posted(**named) is None


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("word", [Word.ACCEPTED, Word.DELIVERED])
async def test_a_receipt_closes_the_letter_and_says_on_what(stage, word, lost):
    await stage.admit(deliveries=(letter(stage),))
    await post(stage, lost=lost)

    assert await take(stage, word, certificate="ef" * 32) is Effect.CLOSES

    assert await stage.state() is State.DELIVERED
    assert await open_alarms(stage) == set()
    (told,) = [e for e in (await stage.view()).trace if e.event.event == "mail.receipt"]
    assert dict(told.event.data) | {"attempt": 1} == {
        "attempt": 1,
        "kind": str(word),
        "evidence": "cd" * 32,
        "certificate": "ef" * 32,
        "status": "",
        "state": "delivered",
    }


async def test_a_receipt_that_comes_twice_is_written_down_and_changes_nothing(stage):
    await posted(stage)
    await take(stage, Word.DELIVERED)
    before = await stage.view()

    assert await take(stage, Word.DELIVERED) is Effect.NOTHING

    after = await stage.view()
    assert after.deliveries == before.deliveries
    assert (await stage.trace())[-1] == "mail.noted"


async def test_receipts_behind_the_twentieth_leave_no_trace_but_a_first_from_an_open_road(stage):
    """Whoever fills the log with what says nothing must not hide that a letter was shown."""
    await posted(stage)

    for _ in range(MOST + 5):
        await take(stage, Word.OTHER)
    assert (await stage.trace()).count("mail.noted") == MOST
    for _ in range(3):
        await take(stage, Word.DELAYED)

    assert (await stage.trace()).count("mail.noted") == MOST + 1
    assert await take(stage, Word.DELIVERED) is Effect.NOTHING


async def test_a_receipt_of_an_earlier_attempt_closes_what_goes_again(stage):
    await stage.admit(deliveries=(letter(stage),))
    await post(stage, lost=True)
    await stage.store.decisions.resume("l-1", who="o.operator", why="nogmaals")
    (claim,) = await stage.claim()

    assert await take(stage, Word.DELIVERED) is Effect.CLOSES

    with pytest.raises(StaleSnapshot):
        await stage.store.queue.posting(claim, known_as(2), leaves(stage))
    assert await stage.state() is State.DELIVERED


async def test_what_came_back_goes_again_and_says_that_it_may_come_twice(stage):
    await posted(stage)

    assert await take(stage, Word.BOUNCED, status="4.4.7") is Effect.AGAIN
    assert await stage.claim() == ()
    stage.clock.forward(minutes=15)
    (claim,) = await stage.claim()

    assert (claim.attempt, claim.twice) == (2, True)
    assert await open_alarms(stage) == set()
    assert "mail.bounced" in await stage.trace()


async def test_the_same_bounce_again_sends_nothing_more(stage):
    await posted(stage)
    await take(stage, Word.BOUNCED)
    stage.clock.forward(minutes=15)
    await post(stage, 2)

    assert await take(stage, Word.BOUNCED) is Effect.NOTHING

    assert await stage.state() is State.SENT


async def test_behind_a_bounce_only_what_was_signed_closes(stage):
    await posted(stage)
    await take(stage, Word.BOUNCED)

    assert await take(stage, Word.DELIVERED) is Effect.NOTHING
    assert await take(stage, Word.SHOWN, 0) is Effect.NOTHING
    assert await stage.state() is State.READY
    assert await take(stage, Word.ACCEPTED, 0) is Effect.CLOSES


@pytest.mark.parametrize(
    ("word", "changes"),
    [(Word.BOUNCED_FOR_GOOD, {}), (Word.BOUNCED, {"again": timedelta(hours=48)})],
    ids=["for good", "too late"],
)
async def test_what_can_not_go_again_is_for_a_person(stage, word, changes):
    await posted(stage, expires_at=stage.clock.now() + timedelta(hours=48))

    assert await take(stage, word, status="5.1.1", **changes) is Effect.GIVES_UP

    assert await stage.state() is State.DEAD
    assert await open_alarms(stage) == {("delivery.dead", "mail.bounced")}


async def test_a_bounce_settles_what_nobody_knew_of_but_sends_nothing(stage):
    await stage.admit(deliveries=(letter(stage),))
    await post(stage, lost=True)

    assert await take(stage, Word.BOUNCED) is Effect.GIVES_UP

    assert await open_alarms(stage) == {("delivery.dead", "mail.bounced")}


async def test_a_bounce_that_is_faster_than_our_own_books_comes_again(stage):
    await stage.admit(deliveries=(letter(stage),))
    (claim,) = await stage.claim()
    await stage.store.queue.posting(claim, known_as(1), leaves(stage))
    before = await stage.trace()

    assert await take(stage, Word.BOUNCED) is Effect.EARLY

    assert await stage.trace() == before
    until = stage.clock.now() + timedelta(hours=4)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())
    assert await take(stage, Word.BOUNCED) is Effect.AGAIN
