"""What partners are asked, and what they answer: the port `Enquiries`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.message import MessageStatus
from gateway.ports import AuditEvent, Clock
from gateway.ports.enquiries import Answered, Enquiry, EnquiryAnswer
from gateway.store.reading import Reads
from gateway.store.tables import enquiries
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

PATIENCE = timedelta(minutes=10)
"""How long after the question an answer is still written down as one."""
KEPT = timedelta(days=7)
_ERROR = "MessageError"
"""May come in place of any answer."""
_ANSWERED = (
    enquiries.c.answered_at,
    enquiries.c.status,
    enquiries.c.received_at,
    enquiries.c.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Unit: keep a question, and forget those of long ago."""

    enquiry: Enquiry

    def run(self, tx: Tx) -> None:
        """Write down what is asked, of whom, by whom."""
        one = self.enquiry
        tx.write(sa.delete(enquiries).where(enquiries.c.at < one.at - KEPT))
        row = {
            "id": one.id,
            "party": one.party,
            "cpa_id": one.cpa_id,
            "answer": one.answer,
            "about": one.about,
            "delivery": one.delivery,
            "message": one.message,
            "at": one.at,
            "answered_at": None,
            "status": "",
            "received_at": None,
            "error": "",
        }
        tx.insert(enquiries, (row,))
        tx.record(_of(one, "enquiry.asked", at=one.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeAnswer:
    """Unit: the first answer to a question counts, if it is one to that question."""

    answer: EnquiryAnswer
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False, and write nothing, for what was not asked."""
        given = self.answer
        mine = sa.and_(
            enquiries.c.id == given.enquiry,
            enquiries.c.party == given.party,
            enquiries.c.cpa_id == given.cpa_id,
            enquiries.c.at >= self.now - PATIENCE,
            enquiries.c.answered_at.is_(None),
            sa.true() if given.action == _ERROR else self._fits(),
        )
        status = "" if given.status is None else str(given.status)
        changes = {
            "answered_at": self.now,
            "status": status,
            "received_at": given.received_at,
            "error": given.error,
        }
        if tx.write(sa.update(enquiries).where(mine).values(changes)) != 1:
            return False
        row = tx.read(sa.select(enquiries).where(enquiries.c.id == given.enquiry)).one()
        tx.record(self._told(row, status))
        return True

    def _fits(self) -> sa.ColumnElement[bool]:
        given = self.answer
        return sa.and_(enquiries.c.answer == given.action, enquiries.c.about == given.about)

    def _told(self, row: sa.Row[Any], status: str) -> AuditEvent:
        given = self.answer
        return AuditEvent(
            event="enquiry.answered",
            at=self.now,
            message=row.message,
            delivery=row.delivery,
            code=f"ebms.{given.error}" if given.error else "",
            party=given.party,
            data={
                "enquiry": given.enquiry,
                "answer": given.action,
                "signal": given.id,
                "status": status,
                "received_at": given.received_at.isoformat() if given.received_at else "",
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Unit: write down that no answer came."""

    enquiry: Enquiry
    code: str
    now: datetime

    def run(self, tx: Tx) -> None:
        """A later answer is still written down."""
        tx.record(_of(self.enquiry, "enquiry.silent", at=self.now, code=self.code))


def _of(one: Enquiry, event: str, *, at: datetime, code: str = "") -> AuditEvent:
    return AuditEvent(
        event=event,
        at=at,
        message=one.message,
        delivery=one.delivery,
        code=code,
        party=one.party,
        actor=one.who,
        data={"enquiry": one.id, "wanted": one.answer, "cpa_id": one.cpa_id},
    )


class SqlEnquiries:
    """The port `Enquiries`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock

    async def ask(self, enquiry: Enquiry) -> None:
        """Write the question down; see the port."""
        await self._writer.commit(Ask(enquiry=enquiry))

    async def answer(self, answer: EnquiryAnswer) -> bool:
        """Write an answer down; see the port."""
        return await self._writer.commit(TakeAnswer(answer=answer, now=self._clock.now()))

    async def silent(self, enquiry: Enquiry, code: str) -> None:
        """Write down that there is none; see the port."""
        await self._writer.commit(Silent(enquiry=enquiry, code=code, now=self._clock.now()))

    async def answered(self, id_: str) -> Answered | None:
        """Return the answer to a question; see the port."""
        return await self._one(enquiries.c.id == id_)

    async def heard_of(self, delivery: str) -> Answered | None:
        """Return the newest answer about a delivery; see the port."""
        return await self._one(enquiries.c.delivery == delivery)

    async def _one(self, of: sa.ColumnElement[bool]) -> Answered | None:
        wanted = (
            sa.select(*_ANSWERED)
            .where(of, enquiries.c.answered_at.is_not(None))
            .order_by(enquiries.c.answered_at.desc())
            .limit(1)
        )
        row = await self._reads(lambda c: c.execute(wanted).first())
        if row is None:
            return None
        return Answered(
            at=row.answered_at,
            status=MessageStatus(row.status) if row.status else None,
            received_at=row.received_at,
            error=row.error,
        )
