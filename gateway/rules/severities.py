"""How severe a broken rule is, for the party that hands the message over (domain 9.4)."""

from datetime import datetime

from gateway.directory import Party, RuleSetting
from gateway.errors import Severity
from gateway.rules.koppelvlak.rule import Rule
from gateway.wire.tijd import civil


def severity(rule: Rule, party: Party | None, *, at: datetime) -> Severity:
    """Return the severity that holds at this moment; an unknown party has the table's."""
    settings = party.rules if party is not None else ()
    return next(
        (s.severity for s in settings if s.rule == rule.id and in_force(s, at)), rule.severity
    )


def in_force(setting: RuleSetting, at: datetime) -> bool:
    """Tell whether a setting has not ended: it holds to the end of its last day."""
    return setting.until is None or civil(at).date() <= setting.until
