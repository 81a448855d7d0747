"""What people do about messages that were refused with a Fo01; the longest ago is found first."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add only. An older program shows what was closed as open, and keeps nobody off it."""
    op.create_table(
        "refusals",
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("taken_by", sa.String(length=64), nullable=False),
        sa.Column("taken_until", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=False),
        sa.Column("ground", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=512), nullable=False),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_refusals_message")),
        sa.PrimaryKeyConstraint("message", name=op.f("pk_refusals")),
    )
    op.execute(
        "CREATE INDEX ix_messages_refused_answered_at ON messages (answered_at, seq) "
        "WHERE answer = 'Fo01Bericht'"
    )
