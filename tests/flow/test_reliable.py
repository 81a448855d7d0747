"""Nothing lost, nothing twice: whatever a partner, the wire or a person does."""

from datetime import timedelta

import pytest

from gateway.directory import SyncReply
from gateway.errors import OutcomeUnknown, PeerUnreachable, RevocationUnknown, StoreUnavailable
from gateway.lifecycle import State
from gateway.ports import Answer, Endpoint
from gateway.wire import fout
from tests.flow.test_melding import hand_in, melding, waiting
from tests.flow.town import HUB, POLITIE, VT, Wire, build, directory

RELIABLE = "osb-rm-e"
BEST_EFFORT = "osb-be-e"


async def town_of(tmp_path, profile=RELIABLE, **terms):
    return await build(tmp_path, profile=profile, **terms)


@pytest.fixture
async def make(tmp_path):
    """Make a town and close it behind the test."""
    made = []

    async def one(profile=RELIABLE, **terms):
        made.append(await town_of(tmp_path, profile, **terms))
        return made[-1]

    yield one
    for town in made:
        await town.close()


def breaking(town, who, answer, *, times=None, to=None):
    """Let `answer` take the place of the wire for what `who` posts; return what it took."""
    taken = []

    async def disturb(me, endpoint, message):
        meant = me == who and to in {None, endpoint.party}
        if meant and (times is None or len(taken) < times):
            taken.append(message)
            return await answer(message)
        return None

    town.breaks.append(disturb)
    return taken


def answering(status, retry_after=None):
    async def answer(_message):
        return Answer(status=status, retry_after=retry_after)

    return answer


def failing(error):
    async def answer(_message):
        raise error

    return answer


async def through(town, me, to, message):
    """Carry a message past every break."""
    breaks, town.breaks = town.breaks, []
    answer = await Wire(town, me).post(Endpoint(url="", party=to, client_certificate=None), message)
    town.breaks = breaks
    return answer


async def sent(town, who=HUB, reference="ref-1"):
    """The delivery of the melding at `who`."""
    view = await town[who].message(reference)
    (delivery,) = [d for d in view.deliveries if d.kind == "bericht"]
    return delivery


async def steps(town, who=HUB, reference="ref-1"):
    return [row.event.event for row in (await town[who].message(reference)).trace]


async def alarms(town, who=HUB):
    return sorted(a.code for a in await town[who].store.reader.alarms(limit=50))


async def kinds(town, who):
    """The business messages that the back-end of `who` finds."""
    return [item.message.kind for item in await waiting(town, who)]


async def pass_time(town, *, times, **span):
    for _ in range(times):
        town.clock.forward(**span)
        await town.settle()


# --- acknowledgements -----------------------------------------------------------------


async def test_acknowledgement_that_overtakes_our_own_commit_counts(make):
    town = await make()

    async def hasty(message):
        answer = await through(town, HUB, VT, message)
        breaks, town.breaks = town.breaks, []
        await town[VT].worker.step()  # its acknowledgement is here before our answer is
        await town[VT].worker.step()
        town.breaks = breaks
        assert (await sent(town)).state is State.DELIVERED
        return answer

    taken = breaking(town, HUB, hasty, to=VT, times=1)
    await hand_in(town, melding("ref-1"))
    await town.settle()

    assert len(taken) == 1
    delivery = await sent(town)
    assert (delivery.state, delivery.attempt) == (State.DELIVERED, 1)
    assert len(await waiting(town)) == 1


async def test_acknowledgement_that_comes_twice_counts_once(make):
    town = await make()
    await hand_in(town, melding("ref-1"))
    await town.settle()
    ack = next(m for me, to, m, _ in town.wire if me == VT and to == HUB)
    before = await sent(town)

    answer = await through(town, VT, HUB, ack)

    assert answer.status == 204
    assert await sent(town) == before
    assert (await steps(town))[-1] == "signal.repeated"


async def test_acknowledgement_after_the_next_try_began_counts(make):
    town = await make()
    late = breaking(town, VT, failing(PeerUnreachable("peer.unreachable", "late")))
    await hand_in(town, melding("ref-1"))
    await town.settle()
    for seconds in (10, 2):  # the interval, then the jitter
        town.clock.forward(seconds=seconds)
        await town[HUB].worker.step()
    assert (await sent(town)).attempt == 2

    await through(town, VT, HUB, late[0])
    await town.settle()

    assert (await sent(town)).state is State.DELIVERED
    assert len(await waiting(town)) == 1


async def test_partner_that_says_2xx_and_stores_nothing_gets_the_same_signed_octets(make):
    town = await make("osb-rm-s")
    lies = breaking(town, HUB, answering(200), to=VT, times=3)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await pass_time(town, times=8, seconds=12)

    assert len(lies) == 3
    assert len({m.body.partition(b"</soap:Envelope>")[0][-2000:] for m in lies}) == 1
    delivery = await sent(town)
    assert (delivery.state, delivery.attempt) == (State.DELIVERED, 4)
    assert len(await waiting(town)) == 1


# --- what comes again -----------------------------------------------------------------


async def sync_town(make):
    town = await make(sync_reply=SyncReply.SIGNALS)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    first = next((m, a) for me, to, m, a in town.wire if me == POLITIE and to == HUB and a.message)
    return town, *first


async def test_a_copy_gets_the_stored_acknowledgement_also_in_the_answer_itself(make):
    town, message, answer = await sync_town(make)

    again = await through(town, POLITIE, HUB, message)

    assert again.message is not None
    assert again.message.body == answer.message.body
    assert (await sent(town, POLITIE)).state is State.DELIVERED
    assert len(await waiting(town)) == 1


async def test_the_stored_acknowledgement_outlives_the_sweep_of_orphans(make):
    town, message, answer = await sync_town(make)
    town.clock.forward(days=1)
    await town[HUB].store.payloads.sweep_orphans(older_than=timedelta(hours=1))

    again = await through(town, POLITIE, HUB, message)

    assert again.message is not None
    assert again.message.body == answer.message.body


# --- a partner that is away -----------------------------------------------------------


async def test_partner_that_is_down_for_days_gets_it_when_it_is_back(make):
    town = await make(retries=16, seconds=3 * 3600)
    town[VT].up = False
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await pass_time(town, times=12, hours=3, minutes=20)
    await town.keep_house()
    assert await alarms(town) == ["delivery.unconfirmed", "partner.down"]

    town[VT].up = True
    await pass_time(town, times=2, hours=3, minutes=20)
    await town.keep_house()

    assert (await sent(town)).state is State.DELIVERED
    assert len(await waiting(town)) == 1
    assert await alarms(town) == []


async def test_when_the_tries_are_spent_the_sender_gets_one_fo01(make):
    town = await make(retries=2)
    town[VT].up = False
    receipt = await hand_in(town, melding("ref-1"))
    await town.settle()
    await pass_time(town, times=3, seconds=12)
    assert (await sent(town)).state is State.DEAD
    assert await kinds(town, POLITIE) == []

    for _ in range(3):
        await town.keep_house()

    assert await kinds(town, POLITIE) == ["Fo01Bericht"]
    view = await town[POLITIE].store.reader.message(receipt.id)
    assert view.message.answer == "Fo01Bericht"
    assert (await sent(town)).attempt == 3
    assert await alarms(town) == ["delivery.dead"]


async def test_the_fo01_is_neutral(make):
    town = await make(retries=0)
    breaking(town, HUB, answering(404), to=VT)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await town.keep_house()
    (item,) = await waiting(town, POLITIE)

    octets = await town[POLITIE].store.payloads.get(item.payload_id)

    assert fout.UNDELIVERED.omschrijving.encode() in octets
    assert b"StUF058" in octets
    assert b"404" not in octets
    assert VT.encode() not in octets


@pytest.mark.parametrize("status", [301, 400, 403, 404, 501])
async def test_a_partner_that_will_never_take_it_ends_it_at_once(make, status):
    town = await make()
    taken = breaking(town, HUB, answering(status), to=VT)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await town.keep_house()

    assert len(taken) == 1
    assert await kinds(town, POLITIE) == ["Fo01Bericht"]
    assert await alarms(town) == ["delivery.dead"]


async def test_what_grew_too_old_is_told_too_without_one_octet_sent(make):
    town = await make(seconds=3 * 3600, persist=timedelta(hours=27))
    await town[HUB].change(suspended=frozenset({VT}))
    await hand_in(town, melding("ref-1"))
    await town.settle()
    town.clock.forward(hours=28)
    await town.settle()
    await town.keep_house()

    assert (await sent(town)).last_code == "delivery.expired"
    assert (await sent(town)).attempt == 0
    assert await kinds(town, POLITIE) == ["Fo01Bericht"]


async def test_retry_after_is_kept(make):
    town = await make(retries=8, seconds=10)
    taken = breaking(town, HUB, answering(503, timedelta(minutes=5)), to=VT, times=1)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await pass_time(town, times=1, minutes=4, seconds=50)
    assert len(taken) == 1
    assert (await sent(town)).attempt == 1

    await pass_time(town, times=1, seconds=41)

    assert (await sent(town)).state is State.DELIVERED


async def test_slow_partner_that_took_it_in_is_not_given_it_twice(make):
    town = await make()

    async def slow(message):
        await through(town, HUB, VT, message)
        raise OutcomeUnknown("answer.timeout", "too slow")

    breaking(town, HUB, slow, to=VT, times=2)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await pass_time(town, times=4, seconds=12)

    assert (await sent(town)).state is State.DELIVERED
    assert len(await waiting(town)) == 1


async def test_after_the_last_try_the_acknowledgement_still_has_its_time(make):
    town = await make(retries=0)

    async def slow(message):
        await through(town, HUB, VT, message)
        raise OutcomeUnknown("answer.timeout", "too slow")

    breaking(town, HUB, slow, to=VT, times=1)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await town.keep_house()

    assert (await sent(town)).state is State.DELIVERED
    assert await kinds(town, POLITIE) == []
    assert await alarms(town) == []


async def test_after_the_last_try_silence_ends_it(make):
    town = await make(retries=0)
    breaking(town, HUB, failing(OutcomeUnknown("answer.timeout", "too slow")), to=VT)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    assert (await sent(town)).state is State.SENT

    await pass_time(town, times=1, seconds=11)

    assert ((await sent(town)).state, (await sent(town)).last_code) == (State.DEAD, "ack.overdue")


async def test_flapping_partner_gets_everything_once(make):
    town = await make(retries=20)
    calls = []

    async def flap(me, endpoint, _message):
        if me == HUB and endpoint.party == VT:
            calls.append(me)
            return Answer(status=503) if len(calls) % 3 else None
        return None

    town.breaks.append(flap)
    for n in range(6):
        await hand_in(town, melding(f"ref-{n}"))
    await pass_time(town, times=20, seconds=12)

    assert len(await waiting(town)) == 6
    assert {(await sent(town, HUB, f"ref-{n}")).state for n in range(6)} == {State.DELIVERED}


@pytest.mark.parametrize(
    "trouble",
    [
        RevocationUnknown("crl.stale", "no list"),
        StoreUnavailable("store.failed", "disk full"),
        OutcomeUnknown("store.outcome_unknown", "commit"),
    ],
)
async def test_our_own_trouble_leaves_the_partner_all_its_tries(make, trouble):
    town = await make(retries=1)
    ours = breaking(town, HUB, failing(trouble), to=VT, times=10)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await pass_time(town, times=9, seconds=61)
    assert len(ours) == 10
    theirs = breaking(town, HUB, answering(503), to=VT, times=1)

    await pass_time(town, times=3, seconds=61)

    assert len(theirs) == 1
    assert (await sent(town)).state is State.DELIVERED


# --- best effort ----------------------------------------------------------------------


async def unknown(make):
    """A melding that went to Veilig Thuis with nobody knowing whether it arrived."""
    town = await make(BEST_EFFORT)

    async def lost(message):
        await through(town, HUB, VT, message)
        raise OutcomeUnknown("answer.lost", "no answer")

    breaking(town, HUB, lost, to=VT, times=1)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    return town


async def test_without_duplicate_elimination_nothing_goes_twice_by_itself(tmp_path):
    town = await build(tmp_path, profile="osb-be-s")
    lost = breaking(town, HUB, failing(OutcomeUnknown("answer.lost", "?")), to=VT)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await pass_time(town, times=5, hours=12)
    await town.keep_house()

    assert len(lost) == 1
    assert (await sent(town)).state is State.UNKNOWN
    assert await alarms(town) == ["delivery.unknown"]
    assert await kinds(town, POLITIE) == []
    await town.close()


async def test_a_person_sends_it_again(tmp_path):
    town = await build(tmp_path, profile="osb-be-s")
    breaking(town, HUB, failing(OutcomeUnknown("answer.lost", "?")), to=VT, times=1)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    delivery = await sent(town)

    await town[HUB].store.decisions.resume(delivery.id, who="jansen", why="niet ontvangen")
    await town.settle()
    await town.keep_house()

    assert (await sent(town)).state is State.DELIVERED
    assert len(await waiting(town)) == 1
    assert await alarms(town) == []
    await town.close()


async def test_a_person_gives_it_up_and_the_sender_gets_one_fo01(tmp_path):
    town = await build(tmp_path, profile="osb-be-s")
    breaking(town, HUB, failing(OutcomeUnknown("answer.lost", "?")), to=VT, times=1)
    await hand_in(town, melding("ref-1"))
    await town.settle()

    await town[HUB].store.decisions.stop((await sent(town)).id, who="jansen", why="kwijt")
    for _ in range(2):
        await town.keep_house()

    assert await kinds(town, POLITIE) == ["Fo01Bericht"]
    assert await waiting(town) == ()
    await town.close()


# --- undeliverable --------------------------------------------------------------------


async def dead(make, **terms):
    town = await make(retries=0, **terms)
    taken = breaking(town, HUB, answering(404), to=VT)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    return town, taken[0]


async def test_confirmation_after_the_fo01_is_told_to_a_person(make):
    town, message = await dead(make)
    await town.keep_house()
    await through(town, HUB, VT, message)  # it had arrived after all

    await town.settle()

    assert (await sent(town)).state is State.DELIVERED
    assert await alarms(town) == ["delivery.late"]
    assert "undeliverable.contradicted" in await steps(town)


async def test_confirmation_before_the_fo01_withdraws_it(make):
    town, message = await dead(make)
    await through(town, HUB, VT, message)
    await town.settle()

    await town.keep_house()

    assert await kinds(town, POLITIE) == []
    assert await alarms(town) == []


async def test_an_answer_that_can_not_be_delivered_is_not_answered(make):
    town = await make(retries=0)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    (item,) = await waiting(town)
    breaking(town, HUB, answering(404), to=POLITIE)
    await town[VT].gateway.confirm(item.delivery, town[VT].backend)
    await town.settle()
    await town.keep_house()

    assert await alarms(town) == ["delivery.dead"]
    assert await kinds(town, VT) == []


async def test_an_own_message_shows_its_end_and_gets_no_fo01(make):
    town = await make(retries=0)
    breaking(town, POLITIE, answering(404))
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await town.keep_house()

    assert (await sent(town, POLITIE)).state is State.DEAD
    assert await alarms(town, POLITIE) == ["delivery.dead"]
    assert await kinds(town, POLITIE) == []


async def test_without_an_agreement_the_fo01_waits_under_one_alarm(make):
    town, _ = await dead(make)
    plain = town[HUB].snapshots.current().agreements
    await town[HUB].change(agreements={k: a for k, a in plain.items() if "politie" not in k})
    for _ in range(3):
        await town.keep_house()
    assert await alarms(town) == ["delivery.dead", "undeliverable.untold"]

    await town[HUB].change(agreements=plain)
    await town.keep_house()

    assert await alarms(town) == ["delivery.dead"]
    assert await kinds(town, POLITIE) == ["Fo01Bericht"]


async def test_after_a_fo01_that_was_not_committed_there_is_still_one(make, monkeypatch):
    town, _ = await dead(make)
    debts = town[HUB].store.undeliverable
    tell = debts.tell

    async def lost(delivery, answer):
        await tell(delivery, answer)
        raise OutcomeUnknown("store.outcome_unknown", "nobody knows")

    monkeypatch.setattr(debts, "tell", lost)
    with pytest.raises(OutcomeUnknown):
        await town.keep_house()
    monkeypatch.undo()

    await town.keep_house()

    assert await kinds(town, POLITIE) == ["Fo01Bericht"]


def test_the_profiles_differ_in_what_this_rests_on():
    safe = {
        profile: [
            b.channel.duplicate_elimination
            for a in directory(VT, profile).agreements.values()
            for b in a.bindings
        ]
        for profile in (RELIABLE, BEST_EFFORT)
    }

    assert all(safe[RELIABLE])
    assert not any(safe[BEST_EFFORT])
