"""Whether the severities that were set for a party may be set."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from gateway.directory import Party, RuleSetting
from gateway.errors import Misconfigured, Severity
from gateway.rules.business import BY_ID
from gateway.rules.severities import in_force


def check_settings(parties: Iterable[Party]) -> None:
    """Refuse settings that mean nothing, or that open a door.

    Raises Misconfigured: `regel.onbekend`, `regel.dubbel`, and `regel.vast` where a rule that
    protects who sends to whom would only warn.
    """
    for party in parties:
        where = f"partijen.{party.oin}.regels"
        for id_, n in Counter(setting.rule for setting in party.rules).items():
            if n > 1:
                text = "Een regel staat er twee keer."
                raise Misconfigured("regel.dubbel", text, where=f"{where}.{id_}")
        for setting in party.rules:
            _check(setting, where=f"{where}.{setting.rule}")


def _check(setting: RuleSetting, *, where: str) -> None:
    rule = BY_ID.get(setting.rule)
    if rule is None:
        raise Misconfigured("regel.onbekend", "Deze regel bestaat niet.", where=where)
    if rule.fixed and setting.severity is Severity.WARN:
        text = "Deze regel bewaakt wie aan wie stuurt en kan niet milder."
        raise Misconfigured("regel.vast", text, where=where)


def deviations(parties: Iterable[Party], *, at: datetime) -> Iterator[tuple[Party, RuleSetting]]:
    """Yield what differs from the table now, for the log and for `gateway doctor`."""
    for party in parties:
        for setting in party.rules:
            if in_force(setting, at) and setting.severity is not BY_ID[setting.rule].severity:
                yield party, setting
