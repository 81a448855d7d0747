"""The first tables.

Columns and lengths are written out: a migration never follows what `tables.py` becomes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

REFUSED = "audit rows are never changed"

SQLITE = """
CREATE TRIGGER audit_no_{event} BEFORE {event} ON audit
BEGIN SELECT RAISE(ABORT, '{text}'); END
"""
POSTGRESQL_FUNCTION = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{text}'; END $$
"""
POSTGRESQL = """
CREATE TRIGGER audit_no_{event} BEFORE {event} ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
"""


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "audit",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("writer", sa.String(length=256), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=256), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=256), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=256), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("writer", "n", name="uq_audit_writer_n"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_message"), "audit", ["message"], unique=False)
    op.create_table(
        "lanes",
        sa.Column("id", sa.String(length=256), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("down", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
    )
    op.create_table(
        "payloads",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("referenced", sa.Boolean(), nullable=False),
        sa.Column("epoch_key", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("destroyed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payloads")),
    )
    op.create_index(op.f("ix_payloads_epoch_key"), "payloads", ["epoch_key"], unique=False)
    op.create_index("ix_payloads_orphans", "payloads", ["referenced", "at"], unique=False)
    op.create_table(
        "security",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(length=256), nullable=False),
        sa.Column("time_high_water", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_security_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "messages",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("cpa_id", sa.String(length=512), nullable=False),
        sa.Column("message_id", sa.String(length=512), nullable=False),
        sa.Column("conversation_id", sa.String(length=512), nullable=False),
        sa.Column("kind", sa.String(length=256), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("berichtcode", sa.String(length=64), nullable=False),
        sa.Column("zender", sa.String(length=64), nullable=False),
        sa.Column("zender_applicatie", sa.String(length=256), nullable=False),
        sa.Column("ontvanger", sa.String(length=64), nullable=False),
        sa.Column("ontvanger_applicatie", sa.String(length=256), nullable=False),
        sa.Column("referentienummer", sa.String(length=256), nullable=False),
        sa.Column("cross_refnummer", sa.String(length=256), nullable=False),
        sa.Column("tijdstip_bericht", sa.String(length=64), nullable=False),
        sa.Column("functie", sa.String(length=256), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("signed_references", sa.Text(), nullable=False),
        sa.Column("acuut", sa.Boolean(), nullable=True),
        sa.Column("onderzoek", sa.Boolean(), nullable=True),
        sa.Column("wpg_artikel", sa.String(length=64), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("payload_id", sa.String(length=64), nullable=True),
        sa.Column("acknowledgment_id", sa.String(length=64), nullable=True),
        sa.Column("backend", sa.String(length=256), nullable=False),
        sa.Column("business_key", sa.String(length=1024), nullable=True),
        sa.Column("answer", sa.String(length=256), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["acknowledgment_id"], ["payloads.id"], name=op.f("fk_messages_acknowledgment_id")
        ),
        sa.ForeignKeyConstraint(
            ["payload_id"], ["payloads.id"], name=op.f("fk_messages_payload_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_messages")),
        sa.UniqueConstraint("business_key", name=op.f("uq_messages_business_key")),
        sa.UniqueConstraint("direction", "party", "cpa_id", "message_id", name="uq_messages_ebms"),
        sa.UniqueConstraint("id", name=op.f("uq_messages_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_messages_party"), "messages", ["party"], unique=False)
    op.create_index(
        op.f("ix_messages_referentienummer"), "messages", ["referentienummer"], unique=False
    )
    op.create_table(
        "payload_chunks",
        sa.Column("payload_id", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payload_id"], ["payloads.id"], name=op.f("fk_payload_chunks_payload_id")
        ),
        sa.PrimaryKeyConstraint("payload_id", "n", name=op.f("pk_payload_chunks")),
    )
    op.create_table(
        "deliveries",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=256), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.String(length=256), nullable=False),
        sa.Column("cpa_id", sa.String(length=512), nullable=False),
        sa.Column("ebms_id", sa.String(length=512), nullable=False),
        sa.Column("service", sa.String(length=256), nullable=False),
        sa.Column("action", sa.String(length=256), nullable=False),
        sa.Column("applicatie", sa.String(length=256), nullable=False),
        sa.Column("ground", sa.String(length=512), nullable=False),
        sa.Column("approval_id", sa.String(length=256), nullable=False),
        sa.Column("table_version", sa.String(length=256), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_interval", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed_id", sa.String(length=64), nullable=True),
        sa.Column("signed_references", sa.Text(), nullable=False),
        sa.Column("last_code", sa.String(length=256), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["messages.id"], name=op.f("fk_deliveries_answered_by")
        ),
        sa.ForeignKeyConstraint(["lane"], ["lanes.id"], name=op.f("fk_deliveries_lane")),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_deliveries_message")),
        sa.ForeignKeyConstraint(
            ["sealed_id"], ["payloads.id"], name=op.f("fk_deliveries_sealed_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("answered_by", name=op.f("uq_deliveries_answered_by")),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deliveries_channel_state_next_at",
        "deliveries",
        ["channel", "state", "next_at"],
        unique=False,
    )
    op.create_index(op.f("ix_deliveries_expires_at"), "deliveries", ["expires_at"], unique=False)
    op.create_index(
        "ix_deliveries_lane_state_next_at", "deliveries", ["lane", "state", "next_at"], unique=False
    )
    op.create_index(op.f("ix_deliveries_message"), "deliveries", ["message"], unique=False)
    op.create_index(
        "ix_deliveries_recipient_cpa_id_ebms_id",
        "deliveries",
        ["recipient", "cpa_id", "ebms_id"],
        unique=False,
    )
    op.create_table(
        "evidence",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(length=512), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name=op.f("fk_evidence_delivery")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_evidence")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_evidence_delivery"), "evidence", ["delivery"], unique=False)

    _protect_audit(op.get_bind().dialect.name)


def _protect_audit(dialect: str) -> None:
    """Insert only, also for whoever has the password of the database."""
    if dialect == "postgresql":
        op.execute(POSTGRESQL_FUNCTION.format(text=REFUSED))
        for event in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(POSTGRESQL.format(event=event))
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(SQLITE.format(event=event, text=REFUSED))
