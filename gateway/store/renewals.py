"""A certificate, key or list that somebody put in place: the port `Renewals`."""

from dataclasses import dataclass
from datetime import datetime

from gateway.ports import Agreed, AuditEvent, Clock, Renewal
from gateway.store.epoch import TOPIC
from gateway.store.transaction import Tx
from gateway.store.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """Unit: write down what was put in place, and have every process read its files again."""

    renewal: Renewal
    who: str
    why: str
    at: datetime

    def run(self, tx: Tx) -> None:
        """Ring with the commit: whoever hears it finds the row."""
        renewal = self.renewal
        data: dict[str, str | int] = {
            "use": renewal.use,
            "sha256": renewal.sha256,
            "reason": self.why,
        }
        tx.record(AuditEvent(event="certificate.imported", at=self.at, actor=self.who, data=data))
        tx.ring(TOPIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementPlaced:
    """Unit: the same for an agreement."""

    agreed: Agreed
    who: str
    why: str
    at: datetime

    def run(self, tx: Tx) -> None:
        """Ring with the commit."""
        agreed = self.agreed
        data: dict[str, str | int] = {
            "cpa_id": agreed.cpa_id,
            "sha256": agreed.sha256,
            "reason": self.why,
        }
        tx.record(AuditEvent(event="agreement.imported", at=self.at, actor=self.who, data=data))
        tx.ring(TOPIC)


class SqlRenewals:
    """The port `Renewals`."""

    def __init__(self, *, writer: Writer, clock: Clock) -> None:
        """Take what it writes with."""
        self._writer = writer
        self._clock = clock

    async def imported(self, renewal: Renewal, *, who: str, why: str) -> None:
        """Write it down and wake every process; raises StoreUnavailable."""
        unit = Renewed(renewal=renewal, who=who, why=why, at=self._clock.now())
        await self._writer.commit(unit)

    async def agreed(self, agreed: Agreed, *, who: str, why: str) -> None:
        """Write it down and wake every process; raises StoreUnavailable."""
        unit = AgreementPlaced(agreed=agreed, who=who, why=why, at=self._clock.now())
        await self._writer.commit(unit)
