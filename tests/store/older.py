"""The way back to the tables of an older program: each version undone, the newest first."""

from collections.abc import Iterator

_GATE = ("verdicts", "requests", "rulings", "passes", "revocations", "holds")
_CONSOLE = (
    "recovery_codes", "passkeys", "console_sessions", "console_steps", "console_failures",
    "console_drafts", "accounts",
)  # fmt: skip
UNDONE = {
    21: tuple(f"ALTER TABLE deliveries DROP COLUMN {column}" for column in ("twice", "posting")),
    20: ("DROP INDEX ix_messages_refused_answered_at", "DROP TABLE refusals"),
    27: ("ALTER TABLE accounts DROP COLUMN party",),
    26: ("DROP TABLE enquiries",),
    25: ("DROP TABLE postings",),
    24: ("DROP TABLE quarantine",),
    23: ("DROP TABLE mail_links",),
    22: tuple(
        f"DROP TABLE {table}" for table in ("system_tokens", "token_ends", "credential_uses")
    ),
    19: ("DROP INDEX ix_messages_vervangt",),
    18: ("DROP INDEX ix_messages_refused",),
    17: (
        "DROP INDEX ix_accounts_identity",
        *(f"ALTER TABLE accounts DROP COLUMN {column}" for column in ("issuer", "subject")),
    ),
    16: ("DROP TABLE pauses",),
    15: ("ALTER TABLE rulings DROP COLUMN known",),
    14: ("DROP INDEX ix_audit_rights",),
    13: ("DROP TABLE tallies", "DROP TABLE tally_place"),
    12: tuple(f"ALTER TABLE alarms DROP COLUMN {column}" for column in ("taken_by", "taken_at")),
    11: (
        "DROP INDEX ix_requests_referentienummer",
        *(f"ALTER TABLE requests DROP COLUMN {column}" for column in ("deel_van", "vervangt")),
    ),
    10: ("ALTER TABLE payloads DROP COLUMN label",),
    9: (
        *(f"DROP TABLE {table}" for table in _CONSOLE),
        "DROP INDEX ix_deliveries_lane_delivered_at",
    ),
    8: tuple(
        f"ALTER TABLE {table} DROP COLUMN {column}"
        for table in ("webhooks", "webhook_events")
        for column in ("backend", "party")
    ),
    7: (
        *(f"DROP TABLE {table}" for table in _GATE),
        *(f"ALTER TABLE messages DROP COLUMN {column}" for column in ("deel_van", "vervangt")),
    ),
}


def back_to(version: int) -> Iterator[str]:
    """Yield the statements after which the tables are of this version."""
    for newer in sorted(UNDONE, reverse=True):
        if newer > version:
            yield from UNDONE[newer]
    yield f"UPDATE alembic_version SET version_num = '{version:04d}'"
