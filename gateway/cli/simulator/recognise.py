"""Which rule of the script a message falls under, and what is therefore done with it."""

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

from gateway.cli.simulator.documents import case_of
from gateway.cli.simulator.fields import fields
from gateway.cli.simulator.script import Herkenning, Reactie
from gateway.wire.stuf import Document, value_of

Told = TypeVar("Told", bound=Reactie)


class Recogniser(Generic[Told]):
    """The rules, with how often each one fitted."""

    def __init__(self, standard: Told, rules: Sequence[Herkenning]) -> None:
        """Take `[standaard]` and the rules in their order; a rule is also a reaction."""
        self._standard = standard
        self._rules = tuple(rules)
        self._fitted: Counter[int] = Counter()

    def plan(self, document: Document) -> tuple[str, Told]:
        """Return the name of the rule (empty: none) and the reaction; call once per message."""
        for number, rule in enumerate(self._rules):
            if not _fits(rule, document):
                continue
            self._fitted[number] += 1
            if rule.keer in {None, self._fitted[number]}:
                return rule.naam or f"regel {number + 1}", self._told(rule)
        return "", self._standard

    def _told(self, rule: Herkenning) -> Told:
        """What the rule does not say is as in `[standaard]`."""
        said = rule.model_fields_set & type(self._standard).model_fields.keys()
        return self._standard.model_copy(update={name: getattr(rule, name) for name in said})


def _fits(rule: Herkenning, document: Document) -> bool:
    if not fnmatchcase(document.name, rule.bericht):
        return False
    if rule.zaak is not None and not fnmatchcase(case_of(document.tree), rule.zaak):
        return False
    if rule.veld is None:
        return True
    return any(
        fnmatchcase(value_of(found), rule.waarde) for found in fields(document.tree, rule.veld)
    )
