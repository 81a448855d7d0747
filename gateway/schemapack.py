"""Which schema pack judges which message, for whom, and from when on. Pure.

A pack is a set of XSDs of one version of the koppelvlak. An activation says that it judges a
message of a version, for one partner or for all, during a period. Where none counts, the XSDs
of the schema folder do.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gateway.message import Oin


@dataclass(frozen=True, slots=True, kw_only=True)
class PackMessage:
    """A message that a pack describes."""

    name: str
    namespace: str
    entry: str
    """Path of the XSD that declares it, within the pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPack:
    """The XSDs of a pack, as they were when they were checked."""

    name: str
    version: str
    folder: Path
    """Where the same files stand, for the program that explains."""
    files: Mapping[str, bytes]
    """Octets by path within the pack, `/` between folders."""
    messages: tuple[PackMessage, ...]
    digest: str
    """Hex SHA-256 over name, version, files and messages."""

    def find(self, name: str, entry: str) -> PackMessage | None:
        """Return the message as declared by that XSD, or None."""
        return next((m for m in self.messages if (m.name, m.entry) == (name, entry)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A pack judges a message of a version, for whom and when."""

    message: str
    version: str
    pack: str
    entry: str
    """Path of the XSD within the pack."""
    digest: str
    """Of the pack: another one under the same name does not count."""
    partner: Oin | None
    """The other party of the agreement; None = every partner."""
    since: datetime
    until: datetime | None
    """Not included; None = until a later one takes over."""
    by: str
    """Who decided."""
    made_at: datetime

    @property
    def subject(self) -> tuple[str, str, Oin | None]:
        """What it is about: two of the same subject relieve each other."""
        return self.message, self.version, self.partner

    def counts(self, at: datetime) -> bool:
        """Tell whether the moment lies in its period."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Activations:
    """All activations, past and to come."""

    lines: tuple[Activation, ...] = ()

    def choose(
        self, message: str, version: str, *, partner: Oin, at: datetime
    ) -> Activation | None:
        """Return what judges the message; None = the XSDs of the schema folder.

        One for this partner goes before one for all; of several, the one that began last counts.
        """
        for who in (partner, None):
            chosen = self._latest((message, version, who), at)
            if chosen is not None:
                return chosen
        return None

    def _latest(self, subject: tuple[str, str, Oin | None], at: datetime) -> Activation | None:
        counting = (line for line in self.lines if line.subject == subject and line.counts(at))
        return max(counting, key=lambda line: line.since, default=None)

    def needed(self, at: datetime) -> frozenset[Activation]:
        """Return those that judge something at that moment or at any later one."""
        found = set()
        for line in self.lines:
            for moment in self._moments(line.subject, at):
                if self._latest(line.subject, moment) is line:
                    found.add(line)
        return frozenset(found)

    def _moments(self, subject: tuple[str, str, Oin | None], at: datetime) -> Iterator[datetime]:
        """Yield the moments from which another one may count."""
        yield at
        for line in self.lines:
            if line.subject == subject:
                yield from (m for m in (line.since, line.until) if m is not None and m > at)

    def with_lines(self, lines: Iterable[Activation]) -> "Activations":
        """Return these and the given ones."""
        return Activations((*self.lines, *lines))

    def ended(self, lines: Iterable[Activation], at: datetime) -> "Activations":
        """Return all, these ended at that moment; what had not begun is dropped."""
        ending = frozenset(lines)
        return Activations(tuple(_kept(self.lines, ending, at)))

    def without(self, pack: str) -> "Activations":
        """Return those of the other packs."""
        return Activations(tuple(line for line in self.lines if line.pack != pack))


def _kept(
    lines: Iterable[Activation], ending: frozenset[Activation], at: datetime
) -> Iterator[Activation]:
    for line in lines:
        if line not in ending or (line.until is not None and line.until <= at):
            yield line
        elif line.since < at:
            yield _until(line, at)


def _until(line: Activation, at: datetime) -> Activation:
    return replace(line, until=at)
