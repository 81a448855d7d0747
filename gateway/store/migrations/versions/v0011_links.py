"""Requests: of which earlier message this one is a part, or in whose place it comes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add only. Requests that stand here already say nothing: their document does."""
    for name in ("deel_van", "vervangt"):
        op.add_column("requests", sa.Column(name, sa.String(length=256), nullable=True))
    op.create_index("ix_requests_referentienummer", "requests", ["referentienummer"])
