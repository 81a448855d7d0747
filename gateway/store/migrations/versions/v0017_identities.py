"""Accounts: which person of an OpenID provider signs in with it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_RIGHTS = (
    "event IN ('console.user_added', 'console.user_changed', 'console.user_closed', "
    "'console.user_recovered', 'console.user_unlocked', 'console.user_linked', "
    "'console.activated', 'console.session_ended', 'console.password_changed', "
    "'console.passkey_added', 'console.passkey_removed', 'console.codes_renewed', "
    "'console.app_renewed')"
)


def upgrade() -> None:
    """Add only, and let a link stand among the rights: a program of before lets nobody in by the provider, and goes on working."""
    op.add_column("accounts", sa.Column("issuer", sa.String(length=255), nullable=True))
    op.add_column("accounts", sa.Column("subject", sa.String(length=255), nullable=True))
    op.create_index("ix_accounts_identity", "accounts", ["issuer", "subject"], unique=True)
    op.execute("DROP INDEX ix_audit_rights")
    op.execute(f"CREATE INDEX ix_audit_rights ON audit (seq) WHERE {_RIGHTS}")
