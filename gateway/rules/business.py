"""The rules of the koppelvlak beyond its XSD, tried on a document.

The schema was checked before. Rules look at the whole document and all of them are tried;
a finding tells where, never what stood there. Severities may differ by partner
(`gateway.rules.severities`).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice

from gateway.catalogue import MessageKind
from gateway.directory import Directory
from gateway.errors import Finding
from gateway.message import Oin
from gateway.rules.koppelvlak import (
    documenten,
    generiek,
    melding,
    onderzoek,
    stuurgegevens,
    terugkoppeling,
    toets,
    verzoek,
    waarden,
    zorgmelding,
)
from gateway.rules.koppelvlak.case import Case, Filled
from gateway.rules.koppelvlak.rule import Check, Each, Rule
from gateway.rules.severities import severity
from gateway.wire.stuf import Document
from gateway.wire.xml import local, path_of

SHOWN_PER_RULE = 20
"""A rule that is broken more often is told this many times."""

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *stuurgegevens.RULES,
            *waarden.RULES,
            *melding.RULES,
            *terugkoppeling.RULES,
            *verzoek.RULES,
            *generiek.RULES,
            *onderzoek.RULES,
            *documenten.RULES,
            *zorgmelding.RULES,
            *toets.RULES,
        ),
        key=lambda rule: rule.id,
    )
)
"""Every rule, by id."""
BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}


def rules_of(message: str) -> tuple[Rule, ...]:
    """Return the rules that are tried on a message, by its name."""
    return tuple(rule for rule in RULES if rule.applies(message))


def check(
    document: Document,
    *,
    kind: MessageKind,
    directory: Directory,
    sender: Oin,
    at: datetime,
) -> tuple[Finding, ...]:
    """Return every finding, in the order of the table.

    `sender` is the authenticated party. What was set for that party (`Party.rules`) changes
    the severity of a finding, never whether there is one.
    """
    case = Case(document=document, kind=kind, directory=directory, sender=sender, at=at)
    plan = _plan(kind.name)
    found = _pass(case, plan)
    for id_, broken in plan.whole:
        found[id_] = list(islice(broken(case), SHOWN_PER_RULE))
    party = directory.party(sender)
    return tuple(
        rule.finding(path, severity(rule, party, at=at))
        for rule in plan.rules
        for path in found.get(rule.id, ())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The rules of one message, sorted by how they look."""

    rules: tuple[Rule, ...]
    whole: tuple[tuple[str, Check], ...]
    """Rule id and test of the whole document."""
    each: Mapping[str, tuple[tuple[str, Each], ...]]
    """The same of single elements, by local name."""
    tags: tuple[str, ...]


@lru_cache(maxsize=256)
def _plan(message: str) -> _Plan:
    rules = rules_of(message)
    each: defaultdict[str, tuple[tuple[str, Each], ...]] = defaultdict(tuple)
    for rule in rules:
        if isinstance(rule.check, Each):
            for name in rule.check.names:
                each[name] += ((rule.id, rule.check),)
    return _Plan(
        rules=rules,
        whole=tuple((r.id, r.check) for r in rules if not isinstance(r.check, Each)),
        each=dict(each),
        tags=tuple(f"{{*}}{name}" for name in each),
    )


def _pass(case: Case, plan: _Plan) -> dict[str, list[str]]:
    """Walk through the document once, for all rules about single elements."""
    found: dict[str, list[str]] = defaultdict(list)
    for element in case.document.tree.iter(*plan.tags):
        one = Filled(local(element), element)
        for id_, each in plan.each[one.name]:
            paths = found[id_]
            if len(paths) < SHOWN_PER_RULE and (each.empty or one.text) and each.broken(case, one):
                paths.append(_place(one, each))
    return found


def _place(one: Filled, each: Each) -> str:
    path = path_of(one.element)
    return f"{path}/@{each.attribute}" if each.attribute else path
