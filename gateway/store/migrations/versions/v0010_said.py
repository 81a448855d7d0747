"""Payloads: a proof of what was said at the hand-in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add. Of what came in before nothing is proven: the gate takes it as not said.

    An older program would go by the row.
    """
    op.add_column("payloads", sa.Column("label", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE compatibility SET oldest = 10")
