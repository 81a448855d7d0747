"""What comes back on letters that left from here.

(1) What it is: a report that anybody can have written, or something that a partner signed. (2)
Which letter it names, and whether it is of that letter's recipient. (3) What that does:
`rules.receipts`, in one commit. What names another's letter is for a person; it changes nothing.
"""

from hashlib import sha256

from gateway.errors import Unavailable
from gateway.pipeline.house import House
from gateway.pipeline.incoming import PERSON, of_partner
from gateway.ports.incoming import Arrived, Held
from gateway.ports.receipts import Posted, Receipt
from gateway.rules.receipts import SIGNED, UNSIGNED, Effect, Word
from gateway.security.smime import MailLimits, Opened, message_id_of
from gateway.wire.mail_read import read_entity
from gateway.wire.mail_reports import (
    Action,
    DeliveryReport,
    Notice,
    Told,
    is_report,
    read_report,
)

UNKNOWN = "receipt.unknown"
OTHER = "receipt.other"
UNPROVEN = "receipt.unproven"
_WORST_FIRST = tuple(Action)
_TRANSIENT = "4."
_OF_THE_MAIL = (SIGNED | UNSIGNED) - {Word.ACCEPTED}
"""They say that the mail arrived: not the message, where that waits at the portal."""


class MailReceipts:
    """Takes in what comes back; see `incoming.Receipts`."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    async def report(self, mail: Arrived) -> Held | None:
        """Take in a report that nobody signed.

        Raises Malformed `mail.report`, `smime.*`, `mime.*`; Unavailable `receipt.early`.
        """
        match read_report(read_entity(mail.octets, limits=MailLimits())):
            case DeliveryReport() as report:
                return await self._delivery_report(mail, report)
            case Notice() as notice:
                return await self._unsigned_notice(mail, notice)

    async def signed(self, mail: Arrived, opened: Opened) -> Held | None:
        """Take in what a partner signed that holds no message; raises as `report`."""
        del mail
        signed = read_entity(opened.content, limits=MailLimits())
        if not is_report(signed.head):
            return await self._reply(opened)
        match read_report(signed):
            case Notice() as notice:
                return await self._signed_notice(opened, notice)
            case DeliveryReport():
                return of_partner(UNKNOWN, opened)

    # --- what nobody signed ---------------------------------------------------------------

    async def _delivery_report(self, mail: Arrived, report: DeliveryReport) -> Held | None:
        """What only the recipient's mail server was told names the letter, and the attempt."""
        reference = _digest(report.envelope_id.encode())
        letter = await self._house.receipts.posted(reference=reference)
        if letter is None:
            return await self._unproven(mail, report)
        about = [told for told in report.told if _is_for(letter, told.recipient)]
        if not about:
            return await self._in_doubt(mail, letter, OTHER)
        worst = min(about, key=lambda told: _WORST_FIRST.index(told.action))
        await self._take(
            letter,
            _word_of(worst, alone=len({told.action for told in about}) == 1),
            reference=reference,
            evidence=_digest(mail.octets),
            status=worst.status,
        )
        return None

    async def _unproven(self, mail: Arrived, report: DeliveryReport) -> Held | None:
        """Without what we told its server, a report is for a person where it names a mail of ours.

        What names none came back on mail that another sent in our name: it would fill the
        quarantine.
        """
        letter = await self._house.receipts.posted(mail=report.mail)
        if letter is not None:
            return await self._in_doubt(mail, letter, UNPROVEN)
        self._house.count.refused(UNKNOWN)
        return None

    async def _in_doubt(self, mail: Arrived, letter: Posted, code: str) -> Held:
        """Leave it to a person; what it showed on its way closes nothing any more."""
        await self._take(letter, Word.UNPROVEN, evidence=_digest(mail.octets))
        return Held(code=code, party=letter.recipient)

    async def _unsigned_notice(self, mail: Arrived, notice: Notice) -> Held | None:
        letter = await self._house.receipts.posted(mail=notice.message_id)
        if letter is None:
            self._house.count.refused(UNKNOWN)
            return None
        if not _is_for(letter, notice.recipient):
            return Held(code=OTHER, party=letter.recipient)
        word = Word.SHOWN if notice.displayed else Word.OTHER
        await self._take(letter, word, evidence=_digest(mail.octets))
        return None

    # --- what a partner signed ------------------------------------------------------------

    async def _signed_notice(self, opened: Opened, notice: Notice) -> Held | None:
        letter = await self._house.receipts.posted(mail=notice.message_id)
        if letter is None:
            return of_partner(UNKNOWN, opened)
        if letter.recipient != opened.party or not _of_what_was_sent(notice, letter):
            return of_partner(OTHER, opened)
        await self._take_signed(letter, _signed_word(notice), opened)
        return None

    async def _reply(self, opened: Opened) -> Held:
        """An answer of a person is for a person; that he answered says that he has the letter."""
        if opened.protected and opened.in_reply_to and not opened.automatic:
            letter = await self._house.receipts.posted(mail=opened.in_reply_to)
            if letter is not None and letter.recipient == opened.party:
                await self._take_signed(letter, Word.REPLIED, opened)
        return of_partner(PERSON, opened)

    async def _take_signed(self, letter: Posted, word: Word, opened: Opened) -> None:
        await self._take(
            letter,
            word,
            evidence=_digest(opened.content),
            certificate=opened.holder.thumbprint,
        )

    async def _take(
        self,
        letter: Posted,
        word: Word,
        *,
        evidence: str,
        reference: str = "",
        certificate: str = "",
        status: str = "",
    ) -> None:
        directory = self._house.snapshots.current()
        party = directory.party(letter.recipient)
        mail = party.mail if party else None
        receipt = Receipt(
            word=Word.OTHER if letter.at_portal and word in _OF_THE_MAIL else word,
            delivery=letter.delivery,
            reference=reference,
            evidence=evidence,
            certificate=certificate,
            status=status,
            unsigned_close=mail is not None and mail.reports_close,
            again=directory.mail.again if directory.mail else None,
        )
        if await self._house.receipts.take(receipt) is Effect.EARLY:
            raise Unavailable("receipt.early", "the sending that it is about is not settled yet")


def _digest(octets: bytes) -> str:
    return sha256(octets).hexdigest()


def _is_for(letter: Posted, address: str) -> bool:
    """Tell whether the letter went to this address: its Message-ID was made of it."""
    domain = letter.mail.rpartition("@")[2]
    return letter.mail == message_id_of(letter.ebms_message_id, recipient=address, domain=domain)


def _of_what_was_sent(notice: Notice, letter: Posted) -> bool:
    """A gateway says what it took in; a mail program says nothing of it."""
    return notice.digest in {"", letter.payload_sha256} and notice.ebms_message_id in {
        "",
        letter.ebms_message_id,
    }


def _signed_word(notice: Notice) -> Word:
    if notice.accepted:
        return Word.ACCEPTED
    return Word.READ if notice.displayed else Word.OTHER


def _word_of(told: Told, *, alone: bool) -> Word:
    """`alone`: nothing better is told of another mailbox behind the address."""
    match told.action:
        case Action.FAILED:
            again = alone and told.status.startswith(_TRANSIENT)
            return Word.BOUNCED if again else Word.BOUNCED_FOR_GOOD
        case Action.DELAYED:
            return Word.DELAYED
        case Action.RELAYED | Action.EXPANDED:
            return Word.PASSED_ON
        case Action.DELIVERED:
            return Word.DELIVERED
