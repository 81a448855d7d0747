"""The audit log: accounts and rights are found among any number of other rows."""

from alembic import op

revision = "0014"
down_revision = "0013"

_RIGHTS = (
    "event IN ('console.user_added', 'console.user_changed', 'console.user_closed', "
    "'console.user_recovered', 'console.user_unlocked', 'console.activated', "
    "'console.session_ended', 'console.password_changed', 'console.passkey_added', "
    "'console.passkey_removed', 'console.codes_renewed', 'console.app_renewed')"
)


def upgrade() -> None:
    """Add only. Rows of any other event do not stand in the index, and cost nothing."""
    op.execute(f"CREATE INDEX ix_audit_rights ON audit (seq) WHERE {_RIGHTS}")
