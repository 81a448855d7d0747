"""Webhooks: whose they are, so that a name that passes to another takes no events along."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_STATUS = """
    UPDATE webhook_events SET
        backend = (SELECT backend FROM messages WHERE messages.id = webhook_events.message),
        party = (SELECT party FROM messages WHERE messages.id = webhook_events.message)
    WHERE event = 'bericht.status'
"""
_WAITING = """
    UPDATE webhook_events SET
        party = (SELECT recipient FROM deliveries WHERE deliveries.id = webhook_events.delivery)
    WHERE event = 'postvak.nieuw'
"""


def upgrade() -> None:
    """Add, and fill in what the messages tell; an event without a party is told to nobody.

    An older program would tell by the name alone.
    """
    for table in ("webhooks", "webhook_events"):
        op.add_column(table, sa.Column("backend", sa.String(length=256), nullable=True))
        op.add_column(table, sa.Column("party", sa.String(length=64), nullable=True))
    op.execute(_STATUS)
    op.execute(_WAITING)
    op.execute("UPDATE compatibility SET oldest = 8")
