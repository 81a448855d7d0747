"""What letters are known by, in what comes back on them."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add. An older program would send a letter that no report could be about."""
    op.create_table(
        "postings",
        sa.Column("reference", sa.String(length=64), primary_key=True),
        sa.Column(
            "delivery", sa.String(length=64), sa.ForeignKey("deliveries.id"), nullable=False
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("mail", sa.String(length=512), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_postings_delivery", "postings", ["delivery"])
    op.create_index("ix_postings_mail", "postings", ["mail"])
    op.execute("UPDATE compatibility SET oldest = 25")
