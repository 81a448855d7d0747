"""Numbers per day, kept beside the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add only: housekeeping of a program that knows them fills them from the audit log."""
    op.create_table(
        "tallies",
        sa.Column("day", sa.String(length=10), primary_key=True),
        sa.Column("measure", sa.String(length=32), primary_key=True),
        sa.Column("kind", sa.String(length=256), primary_key=True),
        sa.Column("detail", sa.String(length=256), primary_key=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
    )
    place = op.create_table(
        "tally_place",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_tally_place_one_row"),
    )
    op.execute(sa.insert(place).values(id=1, seq=0, at=None, version=0))
