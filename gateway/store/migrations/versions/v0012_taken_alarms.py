"""Alarms: who looks at one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add only: nobody looks at those that stand open."""
    taken = sa.Column("taken_by", sa.String(length=64), nullable=False, server_default="")
    op.add_column("alarms", taken)
    op.add_column("alarms", sa.Column("taken_at", sa.BigInteger(), nullable=True))
