"""What `gateway doctor` found, and how it is shown."""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway.errors import GatewayError


class Severity(StrEnum):
    """How bad it is."""

    GOOD = "goed"
    WARN = "let op"
    """It works; something will stop it, or makes it weaker than it can be."""
    BAD = "fout"
    """It stops messages, or loses them."""


MARKS = {"✓": Severity.GOOD, "!": Severity.WARN, "✗": Severity.BAD}
_MARK = {severity: mark for mark, severity in MARKS.items()}
_STYLE = {Severity.GOOD: "green", Severity.WARN: "yellow", Severity.BAD: "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. Never a value of a message, a key or a token."""

    area: str
    severity: Severity
    text: str
    code: str = ""
    """Stable and dotted; empty for what is good."""
    why: str = ""
    """Why it matters."""
    remedy: str = ""
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Area:
    """Makes the findings of one area."""

    name: str

    def good(self, text: str) -> Finding:
        """Return what is as it must be."""
        return Finding(area=self.name, severity=Severity.GOOD, text=text)

    def warn(self, code: str, text: str, why: str, remedy: str) -> Finding:
        """Return what works for now."""
        return Finding(
            area=self.name, severity=Severity.WARN, code=code, text=text, why=why, remedy=remedy
        )

    def bad(self, code: str, text: str, why: str, remedy: str) -> Finding:
        """Return what stops or loses messages."""
        return Finding(
            area=self.name, severity=Severity.BAD, code=code, text=text, why=why, remedy=remedy
        )

    def error(self, error: GatewayError, remedy: str) -> Finding:
        """Return what an error of ours says."""
        where = f" ({error.where})" if error.where else ""
        return self.bad(error.code, f"{error.code}: {error.text}{where}", "", remedy)

    def lines(
        self, lines: Iterable[tuple[str, str]], *, code: str, remedy: str
    ) -> Iterator[Finding]:
        """Return findings of marks (✓, !, ✗) and texts; `code` and `remedy` of what is not good."""
        for mark, text in lines:
            severity = MARKS[mark]
            if severity is Severity.GOOD:
                yield self.good(text)
            else:
                yield Finding(
                    area=self.name, severity=severity, text=text, code=code, remedy=remedy
                )

    def guarded(
        self, look: Callable[[], Iterable[Finding]], remedy: str = "Zie docs/operations.md."
    ) -> Iterator[Finding]:
        """Yield what a look finds; one that fails is a finding itself, and no other stops."""
        try:
            yield from look()
        except GatewayError as error:
            yield self.error(error, remedy)
        except OSError as error:
            text = f"{error.strerror or 'niet te lezen'} ({error.filename or '-'})"
            yield self.bad("system.error", text, "", "Kijk naar rechten en schijf.")


def show(console: Console, findings: Iterable[Finding]) -> None:
    """Print by area; what is not good with why it matters and what to do."""
    for name, group in groupby(findings, key=lambda finding: finding.area):
        console.print(Text(name, style="bold"))
        for finding in group:
            _show(console, finding)


def _show(console: Console, finding: Finding) -> None:
    mark = Text(_MARK[finding.severity], style=_STYLE[finding.severity])
    _print(console, mark, finding.text, indent=2)
    for word, text in (("waarom:", finding.why), ("doe:", finding.remedy)):
        if text:
            _print(console, Text(word, style="dim"), text, indent=6)


def _print(console: Console, head: Text, text: str, *, indent: int) -> None:
    """Print a paragraph; what does not fit goes on under its own text, unbroken where it can."""
    hanging = indent + len(head) + 1
    lines = textwrap.wrap(
        text, console.width - hanging, break_long_words=False, break_on_hyphens=False
    )
    first = Text(" " * indent).append(head).append(f" {lines[0]}", style="default")
    console.print(first, soft_wrap=True)
    for line in lines[1:]:
        console.print(Text(" " * hanging + line), soft_wrap=True)


def summary(findings: Iterable[Finding]) -> str:
    """Return how many there are of each kind that asks for something."""
    found = [finding.severity for finding in findings]
    bad, warn = found.count(Severity.BAD), found.count(Severity.WARN)
    if not bad and not warn:
        return "Alles goed."
    return f"{bad} × fout, {warn} × let op."


def shape(finding: Finding) -> dict[str, Any]:
    """Return it as JSON has it."""
    return {
        "gebied": finding.area,
        "ernst": finding.severity,
        "code": finding.code,
        "tekst": finding.text,
        "waarom": finding.why,
        "doe": finding.remedy,
    }
