"""The tables, for SQLite and PostgreSQL alike. The migrations make them; a test compares both."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.moments import from_micros, to_micros


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware moment as microseconds since 1970 UTC: sorts and compares on every engine."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Store; None stays None."""
        del dialect
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """Load; None stays None."""
        del dialect
        return None if value is None else from_micros(value)


_MICROSECOND = timedelta(microseconds=1)


class Span(sa.types.TypeDecorator[timedelta]):
    """A duration in microseconds."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Any) -> int | None:
        """Store; None stays None."""
        del dialect
        return None if value is None else value // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> timedelta | None:
        """Load; None stays None."""
        del dialect
        return None if value is None else value * _MICROSECOND


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows itself only in a column of exactly the type INTEGER.
_Seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(64)
_OIN = sa.String(64)


def _text(name: str, *, length: int = 256, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, index=index)


def _some(name: str, column: str) -> sa.Index:
    """Index the rows that have a value in the column: most have none."""
    where = sa.text(f"{column} IS NOT NULL")
    return sa.Index(name, column, sqlite_where=where, postgresql_where=where)


security = sa.Table(
    "security",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    _text("fingerprint"),
    sa.CheckConstraint("id = 1", name="one_row"),
)
"""One row: the epoch of the directory, and what it was loaded from."""

clock = sa.Table(
    "clock",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("high_water", Moment, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)
"""One row: the latest moment that any process saw. Apart from `security`, which many share."""

compatibility = sa.Table(
    "compatibility",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("oldest", sa.Integer, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)
"""One row: the version of the tables, and the oldest program that may still work on them."""

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.String(256), primary_key=True),
    sa.Column("beat_at", Moment, nullable=False),
)
"""Heartbeats. A worker's heartbeat is the lease of all its claims."""

duties = sa.Table(
    "duties",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    _text("holder"),
    sa.Column("until", Moment, nullable=False),
)
"""Work that one process at a time does; `until` is by the database's clock."""

lanes = sa.Table(
    "lanes",
    metadata,
    sa.Column("id", sa.String(256), primary_key=True),
    _text("recipient", length=64),
    _text("channel", length=16),
    _text("kind", length=16),
    sa.Column("next_at", Moment, nullable=False),
    sa.Column("down", sa.Boolean, nullable=False),
    sa.Column("down_since", Moment, nullable=True),
)
"""One per recipient, channel and kind; `next_at` is the breaker, `down` allows one probe."""

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("recipient", _OIN, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    _text("who", length=64),
    _text("why", length=512),
)
"""Partners to whom no message is sent for as long as a person wants; signals go on."""

payloads = sa.Table(
    "payloads",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("sha256", length=64),
    sa.Column("referenced", sa.Boolean, nullable=False),
    _text("epoch_key", length=64, index=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("label", sa.LargeBinary, nullable=True),
    sa.Column("destroyed_at", Moment, nullable=True),
    sa.Index("ix_payloads_orphans", "referenced", "at"),
)
"""`label` proves what was said of the octets; NULL = nothing, or before version 10."""

payload_chunks = sa.Table(
    "payload_chunks",
    metadata,
    sa.Column("payload_id", _ID, sa.ForeignKey("payloads.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("octets", sa.LargeBinary, nullable=False),
)

UNANSWERED = sa.text("answer = '' AND kind NOT IN ('Bv01Bericht', 'Fo01Bericht')")
"""Waits for a Bv01 or Fo01. Literal text: with parameters no engine would use the index."""

REFUSED = sa.text("answer = 'Fo01Bericht'")
"""Its first answer is a Fo01. Literal text, as `UNANSWERED`."""

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("at", Moment, nullable=False),
    _text("direction", length=16),
    sa.Column("party", _OIN, nullable=False, index=True),
    _text("cpa_id", length=512),
    _text("message_id", length=512),
    _text("conversation_id", length=512),
    _text("kind"),
    _text("version", length=64),
    _text("berichtcode", length=64),
    _text("zender", length=64),
    _text("zender_applicatie"),
    _text("ontvanger", length=64),
    _text("ontvanger_applicatie"),
    _text("referentienummer", index=True),
    _text("cross_refnummer"),
    _text("tijdstip_bericht", length=64),
    _text("functie"),
    _text("content_sha256", length=64),
    sa.Column("signed_references", sa.Text, nullable=False),
    sa.Column("acuut", sa.Boolean, nullable=True),
    sa.Column("onderzoek", sa.Boolean, nullable=True),
    sa.Column("wpg_artikel", sa.String(64), nullable=True),
    sa.Column("deel_van", sa.String(256), nullable=True),
    sa.Column("vervangt", sa.String(256), nullable=True),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("payload_id", _ID, sa.ForeignKey("payloads.id"), nullable=True),
    sa.Column("acknowledgment_id", _ID, sa.ForeignKey("payloads.id"), nullable=True),
    _text("backend"),
    sa.Column("business_key", sa.String(1024), nullable=True, unique=True),
    _text("answer"),
    sa.Column("answered_at", Moment, nullable=True),
    sa.Column("zaak", sa.String(256), nullable=True),
    sa.UniqueConstraint("direction", "party", "cpa_id", "message_id", name="uq_messages_ebms"),
    sa.Index("ix_messages_unanswered", "at", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
    sa.Index("ix_messages_refused", "seq", sqlite_where=REFUSED, postgresql_where=REFUSED),
    sa.Index(
        "ix_messages_refused_answered_at",
        "answered_at",
        "seq",
        sqlite_where=REFUSED,
        postgresql_where=REFUSED,
    ),
    sa.Index("ix_messages_at", "at"),
    _some("ix_messages_zaak", "zaak"),
    _some("ix_messages_vervangt", "vervangt"),
    _some("ix_messages_payload_id", "payload_id"),
    _some("ix_messages_acknowledgment_id", "acknowledgment_id"),
    sqlite_autoincrement=True,
)
"""`business_key` is NULL, and so unconstrained, where it is unknown or the message refused.
`zaak`: what the case of the message is known by; it goes with the payload."""

refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("message", _ID, sa.ForeignKey("messages.id"), primary_key=True),
    _text("taken_by", length=64),
    sa.Column("taken_until", Moment, nullable=True),
    sa.Column("closed_at", Moment, nullable=True),
    _text("closed_by", length=64),
    _text("ground", length=64),
    _text("why", length=512),
)
"""What people do about a message that was refused with a Fo01; no row = nothing yet."""

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("message", _ID, sa.ForeignKey("messages.id"), nullable=False, index=True),
    sa.Column("lane", sa.String(256), sa.ForeignKey("lanes.id"), nullable=False),
    _text("recipient", length=64),
    _text("channel", length=16),
    _text("kind", length=16),
    _text("state", length=16),
    sa.Column("next_at", Moment, nullable=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    _text("claimed_by"),
    _text("cpa_id", length=512),
    _text("ebms_id", length=512),
    _text("service"),
    _text("action"),
    _text("applicatie"),
    _text("ground", length=512),
    _text("approval_id"),
    _text("table_version"),
    _text("payload_sha256", length=64),
    sa.Column("retries", sa.Integer, nullable=False),
    sa.Column("retry_interval", Span, nullable=False),
    sa.Column("expires_at", Moment, nullable=True, index=True),
    sa.Column("sealed_id", _ID, sa.ForeignKey("payloads.id"), nullable=True),
    sa.Column("signed_references", sa.Text, nullable=False),
    _text("last_code"),
    sa.Column("delivered_at", Moment, nullable=True),
    sa.Column("answered_by", _ID, sa.ForeignKey("messages.id"), nullable=True, unique=True),
    sa.Column("duplicate_safe", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("spared", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ended_at", Moment, nullable=True),
    sa.Column("dispose_at", Moment, nullable=True),
    sa.Column("twice", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("posting", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_deliveries_lane_state_next_at", "lane", "state", "next_at"),
    sa.Index("ix_deliveries_channel_state_next_at", "channel", "state", "next_at"),
    sa.Index("ix_deliveries_lane_delivered_at", "lane", "delivered_at"),
    sa.Index("ix_deliveries_recipient_cpa_id_ebms_id", "recipient", "cpa_id", "ebms_id"),
    _some("ix_deliveries_dispose_at", "dispose_at"),
    _some("ix_deliveries_sealed_id", "sealed_id"),
    sqlite_autoincrement=True,
)
"""`next_at`: READY the next attempt, SENT the moment that acknowledgement or lease is due.
`dispose_at`: when housekeeping looks whether its payload is due; NULL = it need not.

`duplicate_safe`: its recipient would notice a copy. `spared`: how many of the attempts do
not count against the retries of the agreement. `twice`: it may be there already, over another
channel. `posting`: this attempt at an e-mail is where the letter may be taken over.
"""

mail_links = sa.Table(
    "mail_links",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("delivery", _ID, sa.ForeignKey("deliveries.id"), nullable=False, index=True),
    _text("recipient", length=64),
    sa.Column("until", Moment, nullable=False, index=True),
    sa.Column("used_at", Moment, nullable=True),
)
"""Links in letters that a person confirms with. `digest` is the SHA-256 of the token."""

postings = sa.Table(
    "postings",
    metadata,
    sa.Column("reference", sa.String(64), primary_key=True),
    sa.Column("delivery", _ID, sa.ForeignKey("deliveries.id"), nullable=False, index=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("mail", sa.String(512), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("failed_at", Moment, nullable=True),
)
"""Attempts at which a letter may have left. `reference`: SHA-256 of what its mail server was told,
so that who reads this can not forge a report. `mail`: its Message-ID. `failed_at`: a mail server
reported that it did not arrive."""

enquiries = sa.Table(
    "enquiries",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    _text("party", length=64),
    _text("cpa_id", length=512),
    _text("answer", length=16),
    _text("about", length=512),
    _text("delivery", length=64),
    _text("message", length=64),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("answered_at", Moment, nullable=True),
    _text("status", length=16),
    sa.Column("received_at", Moment, nullable=True),
    _text("error", length=32),
    sa.Index("ix_enquiries_delivery", "delivery", "answered_at"),
)
"""What partners were asked over ebMS (Ping, StatusRequest), kept for a week; the audit log has it
for longer. `received_at`: when the partner says that he received the message."""

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("delivery", _ID, sa.ForeignKey("deliveries.id"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    _text("message_id", length=512),
    _text("sha256", length=64),
    sa.Column("octets", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""Signed SOAP of signals, zlib-compressed. `sha256` is over the plain octets."""

RIGHTS = sa.text(
    "event IN ('console.user_added', 'console.user_changed', 'console.user_closed', "
    "'console.user_recovered', 'console.user_unlocked', 'console.user_linked', "
    "'console.activated', "
    "'console.session_ended', 'console.password_changed', 'console.passkey_added', "
    "'console.passkey_removed', 'console.codes_renewed', 'console.app_renewed')"
)
"""Changes of accounts and rights. Literal text: with parameters no engine would use the index."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    _text("writer"),
    sa.Column("n", sa.BigInteger, nullable=False),
    _text("previous", length=64),
    _text("hash", length=64),
    _text("event"),
    sa.Column("at", Moment, nullable=False),
    _text("message", length=64, index=True),
    _text("delivery", length=64),
    _text("code"),
    _text("party", length=64),
    _text("actor"),
    sa.Column("data", sa.Text, nullable=False),
    sa.UniqueConstraint("writer", "n", name="uq_audit_writer_n"),
    sa.Index("ix_audit_rights", "seq", sqlite_where=RIGHTS, postgresql_where=RIGHTS),
    sqlite_autoincrement=True,
)

undeliverable = sa.Table(
    "undeliverable",
    metadata,
    sa.Column("delivery", _ID, sa.ForeignKey("deliveries.id"), primary_key=True),
    sa.Column("message", _ID, sa.ForeignKey("messages.id"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("closed_at", Moment, nullable=True),
    sa.Column("answer", _ID, sa.ForeignKey("messages.id"), nullable=True, unique=True),
    sa.Index(
        "ix_undeliverable_open",
        "at",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)
"""Whom the sender must be told about with a Fo01: one row per delivery, one `answer` at most.

Closed without an answer = not needed any more.
"""

alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    _text("code"),
    _text("subject"),
    _text("message", length=64),
    _text("party", length=64),
    _text("reason"),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("raised_at", Moment, nullable=False),
    sa.Column("cleared_at", Moment, nullable=True),
    _text("cleared_by"),
    _text("cleared_why", length=512),
    sa.Column("gone_at", Moment, nullable=True),
    sa.Column("taken_by", sa.String(64), nullable=False, server_default=""),
    sa.Column("taken_at", Moment, nullable=True),
    sa.Index(
        "ix_alarms_open",
        "code",
        "subject",
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    ),
    sa.Index("ix_alarms_code_subject", "code", "subject"),
    sqlite_autoincrement=True,
)
"""`times`: how often this code was raised for this subject, this time included. `gone_at`: when
the cause was gone, which may be after a person cleared it."""

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("name", _ID, primary_key=True),
    sa.Column("backend", sa.String(256), nullable=True),
    sa.Column("party", _OIN, nullable=True),
    sa.Column("next_at", Moment, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failing_since", Moment, nullable=True),
    sa.Column("disabled_at", Moment, nullable=True),
    _text("disabled_why"),
    sa.Column("success_at", Moment, nullable=True),
    sa.Column("failure_at", Moment, nullable=True),
    _text("failure_code"),
    sa.Column("sent", sa.BigInteger, nullable=False),
    sa.Column("failed", sa.BigInteger, nullable=False),
    sa.Column("dropped", sa.BigInteger, nullable=False),
)
"""How each webhook does; made at its first call. Before `next_at` nothing is sent to it.

`backend` and `party` say whose it is; no value in a row from before that was written down.
"""

webhook_events = sa.Table(
    "webhook_events",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("webhook", _ID, nullable=False),
    sa.Column("backend", sa.String(256), nullable=True),
    sa.Column("party", _OIN, nullable=True),
    sa.Column("at", Moment, nullable=False, index=True),
    _text("event", length=64),
    sa.Column("delivery", _ID, nullable=False),
    sa.Column("message", _ID, nullable=False),
    _text("soort"),
    _text("applicatie"),
    _text("status", length=64),
    _text("answer"),
    sa.Column("next_at", Moment, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("leased_until", Moment, nullable=True),
    sa.Index("ix_webhook_events_webhook_attempt_seq", "webhook", "attempt", "seq"),
    sqlite_autoincrement=True,
)
"""What back-ends must still be told. A row goes when it was taken, or when it is too old.

`backend` and `party` say to whom, whoever has the name of the webhook now; see above.

`leased_until` is by the database's clock.
"""

OPEN_HOLD = sa.text("closed_at IS NULL")
UNASKED = sa.text("closed_at IS NULL AND asked_at IS NULL")
UNTOLD = sa.text("outcome = 'vervallen' AND request IS NOT NULL AND cancel IS NULL")
"""Literal text: with parameters no engine would use the index."""

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("delivery", _ID, sa.ForeignKey("deliveries.id"), nullable=False),
    sa.Column("message", _ID, sa.ForeignKey("messages.id"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    _text("recipient", length=64),
    _text("payload_sha256", length=64),
    _text("ground", length=512),
    _text("table_version"),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("deadline", Moment, nullable=True),
    sa.Column("warned", sa.Integer, nullable=False),
    sa.Column("warn_at", Moment, nullable=True),
    sa.Column("request", _ID, sa.ForeignKey("messages.id"), nullable=True, unique=True),
    sa.Column("asked_at", Moment, nullable=True),
    sa.Column("cancel", _ID, sa.ForeignKey("messages.id"), nullable=True, unique=True),
    sa.Column("closed_at", Moment, nullable=True),
    _text("outcome", length=32),
    sa.Index(
        "ix_holds_open",
        "delivery",
        unique=True,
        sqlite_where=OPEN_HOLD,
        postgresql_where=OPEN_HOLD,
    ),
    sa.Index("ix_holds_warn_at", "warn_at", sqlite_where=OPEN_HOLD, postgresql_where=OPEN_HOLD),
    sa.Index("ix_holds_unasked", "id", sqlite_where=UNASKED, postgresql_where=UNASKED),
    sa.Index("ix_holds_untold", "id", sqlite_where=UNTOLD, postgresql_where=UNTOLD),
)
"""One row for each time that a delivery is held, the last one open. `request`: the message that
asks the OM, `cancel` the one that says it need not decide any more. `warned`: how many of the
moments before `deadline` were told, `warn_at`: when the next one is."""

IN_FORCE = sa.text("releases AND ended_at IS NULL")

rulings = sa.Table(
    "rulings",
    metadata,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("hold", sa.String(80), sa.ForeignKey("holds.id"), nullable=False, index=True),
    sa.Column("delivery", _ID, sa.ForeignKey("deliveries.id"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("releases", sa.Boolean, nullable=False),
    _text("outcome", length=32),
    _text("recipient", length=64),
    _text("payload_sha256", length=64),
    _text("table_version"),
    _text("officer", length=512),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("conditions", sa.Text, nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("valid_until", Moment, nullable=False),
    _text("signer", length=64),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("terms", _ID, sa.ForeignKey("messages.id"), nullable=True, unique=True),
    sa.Column("seen", sa.String(80), nullable=True),
    sa.Column("used_at", Moment, nullable=True),
    sa.Column("ended_at", Moment, nullable=True),
    _text("ended_why"),
    sa.Column("known", sa.Boolean, nullable=True),
    _some("ix_rulings_seen", "seen"),
    sa.Index(
        "ix_rulings_in_force",
        "delivery",
        unique=True,
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    ),
)
"""What the OM decided, each once; `document` is the signed decision, zlib-compressed. In force
until `ended_at`: withdrawn, lapsed, or over. `terms`: the message with its conditions. `seen`: at a
knooppunt, the decision that passed by and is spent with it. `known`: the receiver may know that
something is withheld; empty = no."""

passes = sa.Table(
    "passes",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(80), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    _text("police", length=64),
    _text("recipient", length=64),
    _text("payload_sha256", length=64, index=True),
    sa.Column("valid_until", Moment, nullable=False),
    _text("signer", length=64),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("ended_at", Moment, nullable=True),
    _text("ended_why"),
    sa.UniqueConstraint("id", "recipient", name="uq_passes_id_recipient"),
    sqlite_autoincrement=True,
)
"""At a knooppunt with a second gate: decisions that passed by, one row per receiver. Spent,
withdrawn or not: `ended_at`."""

revocations = sa.Table(
    "revocations",
    metadata,
    sa.Column("approval", sa.String(256), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    _text("actor"),
    _text("reason", length=512),
    sa.Column("document", sa.LargeBinary, nullable=False),
)
"""Standing approvals that were withdrawn; empty `document` = by a person here."""

OPEN_REQUEST = sa.text("closed_at IS NULL")

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(80), nullable=False, unique=True),
    sa.Column("delivery", _ID, sa.ForeignKey("deliveries.id"), nullable=False, unique=True),
    sa.Column("message", _ID, sa.ForeignKey("messages.id"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    _text("holder", length=64),
    _text("soort"),
    _text("version", length=64),
    _text("referentienummer"),
    _text("recipient", length=64),
    _text("payload_sha256", length=64),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("table_version"),
    sa.Column("reasons", sa.Text, nullable=False),
    _text("asker"),
    sa.Column("acuut", sa.Boolean, nullable=True),
    sa.Column("deadline", Moment, nullable=False),
    sa.Column("warned", sa.Integer, nullable=False),
    sa.Column("warn_at", Moment, nullable=True),
    _text("parket"),
    _text("case_sha256", length=64, index=True),
    _text("claimed_by"),
    sa.Column("claimed_until", Moment, nullable=True),
    sa.Column("closed_at", Moment, nullable=True),
    _text("outcome", length=32),
    sa.Column("deel_van", sa.String(256), nullable=True),
    sa.Column("vervangt", sa.String(256), nullable=True),
    sa.Index("ix_requests_referentienummer", "referentienummer"),
    sa.Index(
        "ix_requests_open",
        "deadline",
        sqlite_where=OPEN_REQUEST,
        postgresql_where=OPEN_REQUEST,
    ),
    sa.Index(
        "ix_requests_warn_at",
        "warn_at",
        sqlite_where=OPEN_REQUEST,
        postgresql_where=OPEN_REQUEST,
    ),
    sqlite_autoincrement=True,
)
"""What officers are asked here. `delivery` brought it and keeps its payload. `case_sha256`: over
holder and case, so that requests on one case are found when what they held is gone."""

verdicts = sa.Table(
    "verdicts",
    metadata,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("request", sa.String(80), sa.ForeignKey("requests.id"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    _text("outcome", length=32),
    sa.Column("ground", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("conditions", sa.Text, nullable=False),
    _text("officer", length=64),
    _text("second", length=64),
    sa.Column("second_at", Moment, nullable=True),
    sa.Column("known", sa.Boolean, nullable=False),
    sa.Column("valid_until", Moment, nullable=False),
    _text("state", length=32),
    sa.Column("answer", _ID, sa.ForeignKey("messages.id"), nullable=True, unique=True),
    sa.Column("withdrawn_at", Moment, nullable=True),
    _text("withdrawn_by", length=64),
    _text("withdrawn_why", length=512),
    sa.Column("withdrawal", _ID, sa.ForeignKey("messages.id"), nullable=True, unique=True),
)
"""What officers decided here. `answer` and `withdrawal` are the messages that say so."""

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("at", Moment, nullable=False),
    _text("code"),
    _text("party", length=64),
    sa.Column("proven", sa.Boolean, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("payload_id", _ID, sa.ForeignKey("payloads.id"), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("taken_by", length=64),
    sa.Column("closed_at", Moment, nullable=True),
    _text("closed_by", length=64),
    _text("ground", length=64),
    _text("why", length=512),
    sa.Column("dispose_at", Moment, nullable=True),
    sa.Index("ix_quarantine_closed_at_seq", "closed_at", "seq"),
    _some("ix_quarantine_dispose_at", "dispose_at"),
    sqlite_autoincrement=True,
)
"""Mail that no system took in. `digest`: of what two copies have in common, for as long as the
row stands. `dispose_at`: when what it says is destroyed; NULL = that was done."""

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("login", sa.String(64), nullable=False, unique=True),
    _text("name"),
    _text("roles", length=128),
    _text("officer", length=64),
    sa.Column("party", sa.String(64), nullable=False, server_default=""),
    sa.Column("preferences", sa.Text, nullable=False),
    _text("password", length=512),
    sa.Column("totp", sa.LargeBinary, nullable=True),
    sa.Column("totp_step", sa.BigInteger, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("closed_at", Moment, nullable=True),
    sa.Column("activation", sa.String(64), nullable=True, unique=True),
    sa.Column("activation_until", Moment, nullable=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_at", Moment, nullable=True),
    sa.Column("issuer", sa.String(255), nullable=True),
    sa.Column("subject", sa.String(255), nullable=True),
    sa.Index("ix_accounts_identity", "issuer", "subject", unique=True),
)
"""People who use console or portal. `party` is that of an ontvanger. `totp` is sealed, `activation`
a digest; `totp_step` is the last one that was used: a code counts once."""

passkeys = sa.Table(
    "passkeys",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("account", _ID, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    _text("name", length=64),
    sa.Column("credential", sa.LargeBinary, nullable=False),
    sa.Column("counter", sa.BigInteger, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=True),
)
"""`id` is the SHA-256 of the credential id; `credential` its public part."""

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("account", _ID, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("used_at", Moment, nullable=True),
)
"""`code` is a digest under the key of the console."""

console_sessions = sa.Table(
    "console_sessions",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("account", _ID, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    _text("factor", length=16),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("idle_until", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("proven_at", Moment, nullable=False),
    _text("address", length=64),
    _text("agent", length=64),
    sa.Index("ix_console_sessions_ends_at", "ends_at"),
)
"""Who is signed in; `token` is the digest of the cookie."""

console_steps = sa.Table(
    "console_steps",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("account", _ID, nullable=True),
    _text("kind", length=16),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("until", Moment, nullable=False, index=True),
)
"""Sign-ins that are half way, challenges of passkeys, apps that were offered; `data` is sealed."""

console_failures = sa.Table(
    "console_failures",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("until", Moment, nullable=True),
)
"""Failed sign-ins, by digests of login and address; `until`: locked."""

console_drafts = sa.Table(
    "console_drafts",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("account", _ID, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
"""What somebody filled in and did not send yet; `id` is a digest of whom and what."""

tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("measure", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(256), primary_key=True),
    sa.Column("detail", sa.String(256), primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
)
"""Totals per Dutch day (`YYYY-MM-DD`); `micros`: how long together, where that is counted."""

tally_place = sa.Table(
    "tally_place",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", Moment, nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)
"""One row: the audit row up to which everything is in `tallies`, and how it was counted."""

system_tokens = sa.Table(
    "system_tokens",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    _text("backend"),
    _text("party", length=64),
    _text("scopes", length=512),
    sa.Column("valid_until", Moment, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    _text("made_by", length=64),
    _text("replaces", length=64),
    _text("seal", length=64),
)
"""Tokens of back-end systems that were made in the console. `seal` is made with a key that is
not here: a row that somebody else wrote lets nobody in."""

token_ends = sa.Table(
    "token_ends",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    _text("backend"),
    sa.Column("at", Moment, nullable=False),
    _text("who", length=64),
    _text("why", length=512),
)
"""Tokens that count no more, of the console or of gateway.toml."""

credential_uses = sa.Table(
    "credential_uses",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("at", Moment, nullable=False),
)
"""When a token, certificate or key let its back-end in last, to the minute or so."""

FLUSH_ORDER = tuple(metadata.sorted_tables)
"""Parents before children, every table."""
