"""When a delivery ended, and when housekeeping looks at what it held.

The columns stay empty for what an older process ends meanwhile; housekeeping finds those.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INDEXES = (
    ("deliveries", "dispose_at"),
    ("deliveries", "sealed_id"),
    ("messages", "payload_id"),
    ("messages", "acknowledgment_id"),
)


def upgrade() -> None:
    """Add columns and indexes. Without an index a foreign key is a look at every row."""
    op.add_column("deliveries", sa.Column("ended_at", sa.BigInteger(), nullable=True))
    op.add_column("deliveries", sa.Column("dispose_at", sa.BigInteger(), nullable=True))
    for table, column in INDEXES:
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_{table}_{column}",
            table,
            [column],
            unique=False,
            sqlite_where=where,
            postgresql_where=where,
        )
