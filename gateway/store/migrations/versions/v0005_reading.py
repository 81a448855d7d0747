"""The case of a message, and its moment to find it by."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SOME = sa.text("zaak IS NOT NULL")


def upgrade() -> None:
    """Add; nothing that an older program uses changes. Older messages have no case."""
    op.add_column("messages", sa.Column("zaak", sa.String(length=256), nullable=True))
    op.create_index(
        "ix_messages_zaak",
        "messages",
        ["zaak"],
        unique=False,
        sqlite_where=SOME,
        postgresql_where=SOME,
    )
    op.create_index("ix_messages_at", "messages", ["at"], unique=False)
