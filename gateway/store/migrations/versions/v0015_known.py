"""Decisions: whether the receiver may know that something is withheld."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add only. Of decisions that stand here already it is not known: the receiver may not."""
    op.add_column("rulings", sa.Column("known", sa.Boolean(), nullable=True))
