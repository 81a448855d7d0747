"""What was handed in in place of another message is found by its referentienummer."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add only. Most messages come in no other's place, and do not stand in the index."""
    op.execute(
        "CREATE INDEX ix_messages_vervangt ON messages (vervangt) WHERE vervangt IS NOT NULL"
    )
