"""Links by which a person confirms that a letter came: the port `Links`."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.ports import Clock, DeliveryChannel
from gateway.ports.mail import ConfirmLink
from gateway.store.deliveries import SPOT, spot
from gateway.store.receipts import received
from gateway.store.tables import deliveries, mail_links
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

BY_LINK = "bevestigingslink"
"""Kind of receipt."""


def keep_link(tx: Tx, link: ConfirmLink, now: datetime) -> None:
    """Keep it; those that are over go."""
    tx.write(sa.delete(mail_links).where(mail_links.c.until <= now))
    row = {
        "digest": link.digest,
        "delivery": link.delivery,
        "recipient": link.recipient,
        "until": link.until,
        "used_at": None,
    }
    tx.write(sa.insert(mail_links).values(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Unit: a link was followed and its button pressed."""

    digest: str
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False for a link that is not there, was used, or is over."""
        letter = (
            sa.select(*SPOT)
            .join(mail_links, mail_links.c.delivery == deliveries.c.id)
            .where(
                mail_links.c.digest == self.digest,
                mail_links.c.recipient == deliveries.c.recipient,
                deliveries.c.channel == str(DeliveryChannel.MAIL),
            )
            .with_for_update(of=deliveries, key_share=True)
        )
        row = tx.read(letter).first()
        use = (
            sa.update(mail_links)
            .where(
                mail_links.c.digest == self.digest,
                mail_links.c.used_at.is_(None),
                mail_links.c.until > self.now,
            )
            .values(used_at=self.now)
        )
        if row is None or tx.write(use) != 1:
            return False
        received(tx, spot(row), self.now, kind=BY_LINK)
        return True


class SqlLinks:
    """The port `Links`."""

    def __init__(self, *, writer: Writer, clock: Clock) -> None:
        """Take what it writes with."""
        self._writer = writer
        self._clock = clock

    async def confirm(self, digest: str) -> bool:
        """Close the letter; see the port."""
        return await self._writer.commit(Confirm(digest=digest, now=self._clock.now()))
