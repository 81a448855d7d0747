"""Partners to whom nothing is sent for a while, because a person said so."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add. An older program would go on sending."""
    op.create_table(
        "pauses",
        sa.Column("recipient", sa.String(length=64), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=512), nullable=False),
    )
    op.execute("UPDATE compatibility SET oldest = 16")
