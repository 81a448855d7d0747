"""Messages that were refused with a Fo01 are found among any number of others."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add only. A message with another answer, or none, does not stand in the index."""
    op.execute("CREATE INDEX ix_messages_refused ON messages (seq) WHERE answer = 'Fo01Bericht'")
