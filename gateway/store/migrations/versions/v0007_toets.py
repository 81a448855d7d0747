"""The OM gate: what is held and asked, what was decided, and what officers are asked here."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ADOPT = """
    INSERT INTO holds (
        id, delivery, message, at, recipient, payload_sha256, ground, table_version, reasons,
        warned, outcome
    )
    SELECT
        deliveries.id || '-0', deliveries.id, messages.id, messages.at, messages.ontvanger,
        deliveries.payload_sha256, deliveries.ground, deliveries.table_version, '[]', 0, ''
    FROM deliveries JOIN messages ON messages.id = deliveries.message
    WHERE deliveries.state = 'held'
"""
"""What is held already is put to the OM as well."""


def upgrade() -> None:
    """Add. A delivery can be `withheld` from now on, which an older program does not know."""
    for name in ("deel_van", "vervangt"):
        op.add_column("messages", sa.Column(name, sa.String(length=256), nullable=True))
    _holds()
    _rulings()
    _passes()
    _revocations()
    _requests()
    _verdicts()
    op.execute(_ADOPT)
    op.execute("UPDATE compatibility SET oldest = 7")


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("ground", sa.String(length=512), nullable=False),
        sa.Column("table_version", sa.String(length=256), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("warn_at", sa.BigInteger(), nullable=True),
        sa.Column("request", sa.String(length=64), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel", sa.String(length=64), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name=op.f("fk_holds_delivery")),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_holds_message")),
        sa.ForeignKeyConstraint(["request"], ["messages.id"], name=op.f("fk_holds_request")),
        sa.ForeignKeyConstraint(["cancel"], ["messages.id"], name=op.f("fk_holds_cancel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint("request", name=op.f("uq_holds_request")),
        sa.UniqueConstraint("cancel", name=op.f("uq_holds_cancel")),
    )
    op.create_index("ix_holds_message", "holds", ["message"], unique=False)
    op.create_index("ix_holds_open", "holds", ["delivery"], unique=True, sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index("ix_holds_unasked", "holds", ["id"], unique=False, sqlite_where=sa.text("closed_at IS NULL AND asked_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL AND asked_at IS NULL"))
    op.create_index("ix_holds_untold", "holds", ["id"], unique=False, sqlite_where=sa.text("outcome = 'vervallen' AND request IS NOT NULL AND cancel IS NULL"), postgresql_where=sa.text("outcome = 'vervallen' AND request IS NOT NULL AND cancel IS NULL"))
    op.create_index("ix_holds_warn_at", "holds", ["warn_at"], unique=False, sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))


def _rulings() -> None:
    op.create_table(
        "rulings",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("hold", sa.String(length=80), nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("releases", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("table_version", sa.String(length=256), nullable=False),
        sa.Column("officer", sa.String(length=512), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("signer", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.String(length=64), nullable=True),
        sa.Column("seen", sa.String(length=80), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(["hold"], ["holds.id"], name=op.f("fk_rulings_hold")),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name=op.f("fk_rulings_delivery")),
        sa.ForeignKeyConstraint(["terms"], ["messages.id"], name=op.f("fk_rulings_terms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rulings")),
        sa.UniqueConstraint("terms", name=op.f("uq_rulings_terms")),
    )
    op.create_index("ix_rulings_hold", "rulings", ["hold"], unique=False)
    op.create_index("ix_rulings_in_force", "rulings", ["delivery"], unique=True, sqlite_where=sa.text("releases AND ended_at IS NULL"), postgresql_where=sa.text("releases AND ended_at IS NULL"))
    op.create_index("ix_rulings_seen", "rulings", ["seen"], unique=False, sqlite_where=sa.text("seen IS NOT NULL"), postgresql_where=sa.text("seen IS NOT NULL"))


def _passes() -> None:
    op.create_table(
        "passes",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("police", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("signer", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_passes")),
        sa.UniqueConstraint("id", "recipient", name="uq_passes_id_recipient"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passes_id", "passes", ["id"], unique=False)
    op.create_index("ix_passes_payload_sha256", "passes", ["payload_sha256"], unique=False)


def _revocations() -> None:
    op.create_table(
        "revocations",
        sa.Column("approval", sa.String(length=256), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=256), nullable=False),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("approval", name=op.f("pk_revocations")),
    )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("soort", sa.String(length=256), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("referentienummer", sa.String(length=256), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("table_version", sa.String(length=256), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("asker", sa.String(length=256), nullable=False),
        sa.Column("acuut", sa.Boolean(), nullable=True),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("warn_at", sa.BigInteger(), nullable=True),
        sa.Column("parket", sa.String(length=256), nullable=False),
        sa.Column("case_sha256", sa.String(length=64), nullable=False),
        sa.Column("claimed_by", sa.String(length=256), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name=op.f("fk_requests_delivery")),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_requests_message")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_requests")),
        sa.UniqueConstraint("id", name=op.f("uq_requests_id")),
        sa.UniqueConstraint("delivery", name=op.f("uq_requests_delivery")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_case_sha256", "requests", ["case_sha256"], unique=False)
    op.create_index("ix_requests_open", "requests", ["deadline"], unique=False, sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index("ix_requests_warn_at", "requests", ["warn_at"], unique=False, sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("request", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=False),
        sa.Column("second", sa.String(length=64), nullable=False),
        sa.Column("second_at", sa.BigInteger(), nullable=True),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.String(length=64), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=False),
        sa.Column("withdrawn_why", sa.String(length=512), nullable=False),
        sa.Column("withdrawal", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_verdicts_request")),
        sa.ForeignKeyConstraint(["answer"], ["messages.id"], name=op.f("fk_verdicts_answer")),
        sa.ForeignKeyConstraint(["withdrawal"], ["messages.id"], name=op.f("fk_verdicts_withdrawal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint("answer", name=op.f("uq_verdicts_answer")),
        sa.UniqueConstraint("withdrawal", name=op.f("uq_verdicts_withdrawal")),
    )
    op.create_index("ix_verdicts_request", "verdicts", ["request"], unique=False)
