"""What real mail servers say of a letter comes back, and closes it."""

import asyncio

from gateway.directory import OwnMailbox
from gateway.lifecycle import State
from gateway.ports.incoming import Arrived
from gateway.rules.receipts import Word
from tests.flow import letters
from tests.flow import town as towns
from tests.flow.test_mailing import hand_in, letter_of, steps, view
from tests.flow.town import POLITIE, leaf

OURS = "bericht@gateway.example"


async def test_the_notification_of_postfix_closes_the_letter(lab, client, tmp_path):
    town = await towns.build(tmp_path, post=client)
    police = town[POLITIE]
    await letters.set_up(town, address="vt@partner.example")
    await letters.without_agreement(town, "vtMeldingDi01")
    reads = (leaf(POLITIE, "encrypt").certificate,)
    mailbox = OwnMailbox(address=OURS, certificates=reads)
    await police.change(mail=letters.own(address=OURS), mailbox=mailbox)

    message = await hand_in(town)
    assert (await letter_of(town, message)).state is State.SENT
    (sealed,) = steps(await view(town, message), "mail.sealed")
    told = await asyncio.to_thread(lab.dovecot.wait_for, OURS, sealed.data["mail"])
    for _ in range(2):  # a mail server that gives it twice
        await police.gateway.take_mail(Arrived(octets=told, sender="", at=town.clock.now()))

    assert (await letter_of(town, message)).state is State.DELIVERED
    (receipt,) = steps(await view(town, message), "mail.receipt")
    assert receipt.data["kind"] == Word.DELIVERED
    await town.close()
