"""People who use the console, and what belongs to their visits; when a lane last delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def upgrade() -> None:
    """Add only: a program of before goes on working."""
    _accounts()
    _visits()
    op.create_index("ix_deliveries_lane_delivered_at", "deliveries", ["lane", "delivered_at"])


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=64), primary_key=True),
        _text("login", 64),
        _text("name", 256),
        _text("roles", 128),
        _text("officer", 64),
        sa.Column("preferences", sa.Text(), nullable=False),
        _text("password", 512),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("activation", sa.String(length=64), nullable=True),
        sa.Column("activation_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("login", name="uq_accounts_login"),
        sa.UniqueConstraint("activation", name="uq_accounts_activation"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("account", sa.String(length=64), sa.ForeignKey("accounts.id"), nullable=False),
        _text("name", 64),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_passkeys_account", "passkeys", ["account"])
    op.create_table(
        "recovery_codes",
        sa.Column("code", sa.String(length=64), primary_key=True),
        sa.Column("account", sa.String(length=64), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_recovery_codes_account", "recovery_codes", ["account"])


def _visits() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("token", sa.String(length=64), primary_key=True),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), sa.ForeignKey("accounts.id"), nullable=False),
        _text("factor", 16),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("idle_until", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("proven_at", sa.BigInteger(), nullable=False),
        _text("address", 64),
        _text("agent", 64),
        sa.UniqueConstraint("id", name="uq_console_sessions_id"),
    )
    op.create_index("ix_console_sessions_account", "console_sessions", ["account"])
    op.create_index("ix_console_sessions_ends_at", "console_sessions", ["ends_at"])
    op.create_table(
        "console_steps",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("account", sa.String(length=64), nullable=True),
        _text("kind", 16),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_console_steps_until", "console_steps", ["until"])
    op.create_table(
        "console_failures",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_console_failures_at", "console_failures", ["at"])
    op.create_table(
        "console_drafts",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_console_drafts_at", "console_drafts", ["at"])
