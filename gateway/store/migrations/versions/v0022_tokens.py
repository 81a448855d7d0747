"""Tokens of back-end systems that are made and ended in the console; when they were used last."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add. An older program would still let in by a token that was ended."""
    op.create_table(
        "system_tokens",
        sa.Column("sha256", sa.String(length=64), primary_key=True),
        sa.Column("backend", sa.String(length=256), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=512), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("replaces", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
    )
    op.create_table(
        "token_ends",
        sa.Column("sha256", sa.String(length=64), primary_key=True),
        sa.Column("backend", sa.String(length=256), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=512), nullable=False),
    )
    op.create_table(
        "credential_uses",
        sa.Column("sha256", sa.String(length=64), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.execute("UPDATE compatibility SET oldest = 22")
