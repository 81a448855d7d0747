"""What becomes of one agreement (CPA) when another takes its place, in Dutch sentences."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from gateway.directory import Agreement
from gateway.importing.agreement_changes import Change, Kind, changes, heads
from gateway.importing.agreements import between, follows
from gateway.importing.comparing import Fact
from gateway.saying import Line
from gateway.security.cpa_lint import all_remarks

_OTHERS = "Let op: deze CPA's zijn niet van dezelfde partijen."
_HEAD = "De CPA zelf: {facts}."
_OF = {
    Kind.ADDED: "Erbij: {sender} mag ook {actions} versturen ({service}): {facts}.",
    Kind.REMOVED: "Eruit: {sender} mag {actions} niet meer versturen ({service}).",
    Kind.CHANGED: "Anders voor wat {sender} verstuurt, {actions} ({service}): {facts}.",
    Kind.SAME: "Gelijk: {actions} van {sender} ({service}).",
}
_NEW_FINDING = "Nieuwe bevinding {rule} ({weight}): {text}"
_GONE_FINDING = "Opgelost {rule} ({weight}): {text}"


def in_words(new: Agreement, old: Agreement, now: datetime) -> Iterator[Line]:
    """Yield what differs, which findings come and go, what follows; nothing when all is equal."""
    changed = changes(new, old)
    facts = [fact for fact in heads(new, old) if fact.changed]
    findings = tuple(_findings(new, old, now))
    if not facts and not findings and all(one.kind is Kind.SAME for one in changed):
        return
    if set(new.parties) != set(old.parties):
        yield Line(_OTHERS)
    if facts:
        yield Line(_HEAD, {"facts": _said(facts)})
    for change in changed:
        yield _change(change)
    yield from findings
    yield from between(new, old, changed)
    yield from follows(new, old, changed, now)


def _change(change: Change) -> Line:
    added = change.kind is Kind.ADDED
    values = {
        "sender": change.sender,
        "service": change.service,
        "actions": ", ".join(change.actions),
        "facts": _terms(change.facts) if added else _said(change.facts),
    }
    return Line(_OF[change.kind], values)


def _said(facts: Iterable[Fact]) -> str:
    return "; ".join(str(Line("{name} wordt {new} (was {old})", _both(fact))) for fact in facts)


def _both(fact: Fact) -> dict[str, str | int | datetime]:
    return {"name": fact.name, "new": fact.becomes, "old": fact.was}


def _terms(facts: Iterable[Fact]) -> str:
    return "; ".join(str(Line("{name} {new}", _both(fact))) for fact in facts)


def _findings(new: Agreement, old: Agreement, now: datetime) -> Iterator[Line]:
    fresh, before = all_remarks(new, at=now), all_remarks(old, at=now)
    for text, some, others in ((_NEW_FINDING, fresh, before), (_GONE_FINDING, before, fresh)):
        for one in some:
            if one not in others:
                values = {"rule": one.rule.id, "weight": one.rule.weight, "text": str(one)}
                yield Line(text, values)
