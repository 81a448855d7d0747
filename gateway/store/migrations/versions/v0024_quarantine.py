"""Mail that came in and that a person must look at."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

# SQLite numbers rows itself only in a column of exactly the type INTEGER.
SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add."""
    op.create_table(
        "quarantine",
        sa.Column("seq", SEQ, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=256), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "payload_id",
            sa.String(length=64),
            sa.ForeignKey("payloads.id", name="fk_quarantine_payload_id"),
            nullable=False,
        ),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.String(length=64), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=False),
        sa.Column("ground", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=512), nullable=False),
        sa.Column("dispose_at", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("id", name="uq_quarantine_id"),
        sa.UniqueConstraint("digest", name="uq_quarantine_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quarantine_closed_at_seq", "quarantine", ["closed_at", "seq"])
    some = sa.text("dispose_at IS NOT NULL")
    op.create_index(
        "ix_quarantine_dispose_at",
        "quarantine",
        ["dispose_at"],
        sqlite_where=some,
        postgresql_where=some,
    )
