"""What a back-end gets for what it handed in: now, and again when it asks twice."""

from dataclasses import dataclass

from gateway.errors import Finding
from gateway.pipeline import warned
from gateway.ports import MessageView
from gateway.rules import approval
from gateway.rules.classification import Reason

SEPARATOR = " · "


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the back-end gets for a message that was taken in."""

    id: str
    fresh: bool
    """False when the same message was handed in before: this is its first receipt again."""
    held: bool
    reasons: tuple[str, ...]
    """Why it is held, in Dutch; for the sender's own eyes."""
    referentienummer: str
    grounds: tuple[Reason, ...] = ()
    """The same with rule and path, in the same order."""
    warnings: tuple[Finding, ...] = ()
    """What is not as it should be, though it was taken in."""


def reasons_on_file(view: MessageView) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    """Return the reasons as they were told, with rule and path where those were written down."""
    for row in view.trace:
        if row.event.event == "message.held":
            told = tuple(str(row.event.data.get("reasons", "")).split(SEPARATOR))
            rules = str(row.event.data.get("rules", "")).split(SEPARATOR)
            known = len(rules) == len(told) and rules[0]
            pairs = zip(told, rules, strict=True) if known else ()
            return told, tuple(_on_file(text, rule) for text, rule in pairs)
    return (), ()


def _on_file(text: str, written: str) -> Reason:
    rule, _, path = written.partition(" ")
    return Reason(rule=rule, path=path, text=text.removesuffix(f" ({path})"))


def warnings_on_file(view: MessageView) -> tuple[Finding, ...]:
    """Return what was warned of then."""
    for row in view.trace:
        if row.event.event == "message.validated":
            return warned.read(str(row.event.data.get("rules", "")))
    return ()


def reasons_of(gate: approval.Released | approval.Hold) -> tuple[str, ...]:
    """Return why it is held, in Dutch; nothing when it is not."""
    return gate.told() if isinstance(gate, approval.Hold) else ()


def different(gate: approval.Released | approval.Hold) -> tuple[Reason, ...]:
    """Return the same with rule and path, in the same order."""
    return gate.different() if isinstance(gate, approval.Hold) else ()
