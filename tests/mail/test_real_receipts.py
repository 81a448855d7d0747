"""What real mail servers say of a letter comes back: it closes it, ends it, or is written down."""

import asyncio

import pytest

from gateway.directory import OwnMailbox
from gateway.lifecycle import State
from gateway.ports.incoming import Arrived
from gateway.rules.receipts import Word
from tests.flow import letters
from tests.flow import town as towns
from tests.flow.test_mailing import alarms, hand_in, letter_of, steps, view
from tests.flow.town import POLITIE, leaf

OURS = "bericht@gateway.example"


@pytest.fixture
async def town(client, tmp_path):
    """The police, who read what comes back to them."""
    made = await towns.build(tmp_path, post=client)
    reads = (leaf(POLITIE, "encrypt").certificate,)
    mailbox = OwnMailbox(address=OURS, certificates=reads)
    await made[POLITIE].change(mailbox=mailbox)
    yield made
    await made.close()


async def sent_to(town, address):
    """Send a letter there; return its message, and its Message-ID."""
    await letters.set_up(town, address=address)
    await town[POLITIE].change(mail=letters.own(address=OURS))
    await letters.without_agreement(town, "vtMeldingDi01")
    message = await hand_in(town)
    assert (await letter_of(town, message)).state is State.SENT
    (sealed,) = steps(await view(town, message), "mail.sealed")
    return message, sealed.data["mail"]


async def give_back(lab, town, mail, action):
    """Give the police the report on a mail that has this action, as LMTP does."""
    told = await asyncio.to_thread(lab.dovecot.wait_for, OURS, mail, f"Action: {action}")
    await town[POLITIE].gateway.take_mail(Arrived(octets=told, sender="", at=town.clock.now()))


async def test_the_notification_of_postfix_closes_the_letter(lab, town):
    message, mail = await sent_to(town, "vt@partner.example")

    for _ in range(2):  # a mail server that gives it twice
        await give_back(lab, town, mail, "delivered")

    assert (await letter_of(town, message)).state is State.DELIVERED
    (receipt,) = steps(await view(town, message), "mail.receipt")
    assert receipt.data["kind"] == Word.DELIVERED


async def test_a_letter_whose_mailbox_turns_out_not_to_exist_is_for_a_person(lab, town):
    """Postfix takes it; Dovecot behind it says that nobody is there."""
    message, mail = await sent_to(town, "weg+jz@partner.example")

    await give_back(lab, town, mail, "failed")

    assert (await letter_of(town, message)).state is State.DEAD
    (bounced,) = steps(await view(town, message), "mail.bounced")
    assert (bounced.data["kind"], bounced.data["status"]) == (Word.BOUNCED_FOR_GOOD, "5.1.1")
    assert ("delivery.dead", "mail.bounced") in await alarms(town)


async def test_behind_a_report_of_delay_no_unsigned_report_closes(lab, town):
    """Postfix says that it keeps trying, and later that the letter is in the mailbox."""
    message, mail = await sent_to(town, "traag@partner.example")

    await asyncio.sleep(1.1)  # it warns at the first try that fails a second after it came
    lab.partner.flush()
    await give_back(lab, town, mail, "delayed")
    assert (await letter_of(town, message)).state is State.SENT

    lab.partner.reach_all()
    await give_back(lab, town, mail, "delivered")

    assert (await letter_of(town, message)).state is State.SENT
    noted = steps(await view(town, message), "mail.noted")
    assert [one.data["kind"] for one in noted] == [Word.DELAYED, Word.DELIVERED]
