"""What partners are asked over ebMS: Ping and StatusRequest, and their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add only. An older program asks nothing, and answers what it is asked with NotSupported."""
    op.create_table(
        "enquiries",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("cpa_id", sa.String(length=512), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=512), nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiries")),
    )
    op.create_index("ix_enquiries_at", "enquiries", ["at"])
    op.create_index("ix_enquiries_delivery", "enquiries", ["delivery", "answered_at"])
