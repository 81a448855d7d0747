"""Secure e-mail: what may be there already, and what may be on its way this moment."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add. An older program does not know the channel, and could not show it."""
    for name in ("twice", "posting"):
        op.add_column(
            "deliveries",
            sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()),
        )
    op.execute("UPDATE compatibility SET oldest = 21")
