"""Links in letters, by which a person confirms that they came."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add. An older program makes none, and is not asked for them."""
    op.create_table(
        "mail_links",
        sa.Column("digest", sa.String(length=64), primary_key=True),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name=op.f("fk_mail_links_delivery")),
    )
    op.create_index("ix_mail_links_delivery", "mail_links", ["delivery"])
    op.create_index("ix_mail_links_until", "mail_links", ["until"])
