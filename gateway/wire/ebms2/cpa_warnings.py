"""Collecting what is unwise in a CPA while it is read. Never stops anything by itself."""

from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from gateway.cpa_rules import CpaRule, Remark
from gateway.saying import Value
from gateway.wire.ebms2.cpa_tree import malformed, maybe_attribute, need
from gateway.wire.xml import path_of

SHOWN = 3
"""Actions that are named; of more only how many."""
_CHARACTERISTICS = ("ackRequested", "ackSignatureRequested", "duplicateElimination")

Values = Mapping[str, Value]
NOTHING: Values = MappingProxyType({})
_Key = tuple[CpaRule, str, tuple[tuple[str, Value], ...]]


def direction(sender: str, receiver: str) -> str:
    """Return from whom to whom, by their party ids, as a place in a CPA."""
    return f"{sender} → {receiver}"


class Doubts:
    """What was noticed: each once, with all actions that it is about."""

    def __init__(self) -> None:
        self._found: dict[_Key, dict[str, None]] = {}

    def add(
        self, rule: CpaRule, where: str = "", action: str = "", *, values: Values = NOTHING
    ) -> None:
        actions = self._found.setdefault((rule, where, tuple(values.items())), {})
        if action:
            actions[action] = None

    def remarks(self) -> tuple[Remark, ...]:
        """Return them in the order in which they were first noticed."""
        return tuple(
            Remark(rule, _place(where, tuple(actions)), dict(values))
            for (rule, where, values), actions in self._found.items()
        )

    def always(self, asked: etree._Element, name: str) -> bool:
        """Tell whether a MessagingCharacteristic is `always`; `perMessage` counts as never.

        Raises Malformed `cpa.value` for an unknown value.
        """
        match maybe_attribute(asked, name) or "perMessage":
            case "always":
                return True
            case "never":
                return False
            case "perMessage":
                self.add(CpaRule.PER_MESSAGE, path_of(asked), values={"name": name})
                return False
            case _:
                raise malformed("value", "De waarde is niet bekend.", asked, f"@{name}")

    def differing(self, sender: etree._Element, receiver: etree._Element) -> None:
        """Compare the characteristics of both channels: those of the sender count."""
        one, two = (need(c, "MessagingCharacteristics") for c in (sender, receiver))
        for name in (*_CHARACTERISTICS, "syncReplyMode"):
            if maybe_attribute(one, name) != maybe_attribute(two, name):
                self.add(CpaRule.DIFFERING, path_of(one), values={"name": name})


def _place(where: str, actions: tuple[str, ...]) -> str:
    if not actions:
        return where
    more = len(actions) - SHOWN
    named = ", ".join(actions[:SHOWN]) + (f" +{more}" if more > 0 else "")
    return f"{where}: {named}" if where else named
