"""What a rule is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.errors import Finding, Severity
from gateway.rules.koppelvlak.case import Case, Filled

Check = Callable[[Case], Iterator[str]]
"""Yields the paths where the rule is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """A test of single elements, wherever they stand: all such rules share one pass."""

    names: tuple[str, ...]
    """Local names."""
    broken: Callable[[Case, Filled], bool]
    empty: bool = False
    """Whether elements without text are tested too."""
    attribute: str = ""
    """The attribute of the element that the rule is about, for the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table. Ids and codes are stable."""

    id: str
    """At most 7 characters: it is a Foutcode."""
    code: str
    check: Check | Each
    text: str
    """What is wrong, in Dutch; at most 200 characters."""
    remedy: str
    """What to do about it, in Dutch."""
    ground: str
    """Where the rule comes from, for the documentation."""
    messages: frozenset[str] = frozenset()
    """Names of the messages that it is tried on; empty = all."""
    severity: Severity = Severity.REFUSE
    fixed: bool = False
    """True where a weaker severity would let a message pass for another party's."""

    def applies(self, message: str) -> bool:
        """Tell whether the rule is tried on this message."""
        return not self.messages or message in self.messages

    def finding(self, path: str, severity: Severity) -> Finding:
        """Tell that it is broken at `path`."""
        return Finding(
            code=self.code,
            rule=self.id,
            path=path,
            text=self.text,
            remedy=self.remedy,
            severity=severity,
        )
