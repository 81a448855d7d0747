"""Alarms, what the sender must still be told, and what a retry may count on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

UNANSWERED = sa.text("answer = '' AND kind NOT IN ('Bv01Bericht', 'Fo01Bericht')")
OPEN = sa.text("cleared_at IS NULL")


def upgrade() -> None:
    """Add; nothing that an older program uses changes."""
    _columns()
    _undeliverable()
    _alarms()
    op.create_index(
        "ix_messages_unanswered",
        "messages",
        ["at"],
        unique=False,
        sqlite_where=UNANSWERED,
        postgresql_where=UNANSWERED,
    )


def _columns() -> None:
    op.add_column(
        "deliveries",
        sa.Column("duplicate_safe", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "deliveries", sa.Column("spared", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("lanes", sa.Column("down_since", sa.BigInteger(), nullable=True))
    rows = sa.table(
        "deliveries",
        sa.column("duplicate_safe", sa.Boolean()),
        sa.column("kind", sa.String()),
        sa.column("retries", sa.Integer()),
    )
    # Only the reliable profiles had retries, and they all eliminate duplicates.
    op.execute(
        sa.update(rows)
        .where(sa.or_(rows.c.kind == "signaal", rows.c.retries > 0))
        .values(duplicate_safe=sa.true())
    )


def _undeliverable() -> None:
    op.create_table(
        "undeliverable",
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery"], ["deliveries.id"], name=op.f("fk_undeliverable_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["message"], ["messages.id"], name=op.f("fk_undeliverable_message")
        ),
        sa.ForeignKeyConstraint(["answer"], ["messages.id"], name=op.f("fk_undeliverable_answer")),
        sa.PrimaryKeyConstraint("delivery", name=op.f("pk_undeliverable")),
        sa.UniqueConstraint("answer", name=op.f("uq_undeliverable_answer")),
    )
    op.create_index(
        "ix_undeliverable_open",
        "undeliverable",
        ["at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("code", sa.String(length=256), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=256), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.Column("cleared_by", sa.String(length=256), nullable=False),
        sa.Column("cleared_why", sa.String(length=512), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alarms")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_alarms_open",
        "alarms",
        ["code", "subject"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("ix_alarms_code_subject", "alarms", ["code", "subject"], unique=False)
