"""What the rules warned about, as it stands in the audit row: rule and place, never a value."""

from gateway.errors import Finding, Severity
from gateway.rules.business import BY_ID

MOST = 20
"""Warnings that are written down; the row counts them all."""
_BETWEEN = "; "


def written(warnings: tuple[Finding, ...]) -> str:
    """Return the text for the row."""
    return _BETWEEN.join(f"{one.rule} {one.path}" for one in warnings[:MOST])


def read(text: str) -> tuple[Finding, ...]:
    """Return the warnings of such a text; a rule that is no more is left out."""
    pairs = [one.partition(" ") for one in text.split(_BETWEEN)]
    return tuple(
        BY_ID[rule].finding(path, Severity.WARN) for rule, _, path in pairs if rule in BY_ID
    )
