"""Accounts of persons of partners: the party that an ontvanger is of."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add. An older program does not know the role, and would let them into the console."""
    op.add_column(
        "accounts",
        sa.Column("party", sa.String(length=64), nullable=False, server_default=""),
    )
    op.execute("UPDATE compatibility SET oldest = 27")
