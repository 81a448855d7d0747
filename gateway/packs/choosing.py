"""From what somebody asks for to the lines of `activations.toml`. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.catalogue import Catalogue
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.schemapack import Activation, Activations, SchemaPack


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Let a pack judge."""

    version: str
    """Of the koppelvlak."""
    since: datetime
    until: datetime | None
    partner: Oin | None
    """None = every partner."""
    messages: tuple[str, ...]
    """Empty = every message of the pack that the catalogue has."""
    entry: str
    """Where a message stands in several XSDs; empty = it stands in one."""
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is to be activated."""

    lines: tuple[Activation, ...]
    unknown: tuple[str, ...]
    """Messages that the catalogue does not have."""
    several: tuple[str, ...]
    """Messages that stand in more than one XSD of the pack."""


def chosen(pack: SchemaPack, wish: Wish, catalogue: Catalogue) -> Chosen:
    """Return the lines that the wish comes to.

    Raises Misconfigured `pack.message` when the pack does not have what was asked for or nothing
    is left, `pack.entry` when a message stands in several XSDs and none was named.
    """
    entries: dict[str, list[str]] = defaultdict(list)
    for message in pack.messages:
        if wish.entry in {"", message.entry}:
            entries[message.name].append(message.entry)
    named = _named(pack, wish, entries)
    unknown = tuple(name for name in named if catalogue.newest(name) is None)
    several = tuple(name for name in named if name not in unknown and len(entries[name]) > 1)
    if wish.messages and several:
        raise Misconfigured(
            "pack.entry",
            f"{several[0]} staat in meer dan een XSD: {', '.join(entries[several[0]])}."
            " Kies met --ingang.",
            where=pack.name,
        )
    left = [name for name in named if name not in {*several, *(() if wish.messages else unknown)}]
    if not left:
        raise Misconfigured(
            "pack.message",
            "De catalogus kent geen bericht van dit pakket, of elk staat in meer dan een XSD.",
            where=pack.name,
        )
    lines = tuple(_line(pack, wish, name, entries[name][0]) for name in left)
    return Chosen(lines=lines, unknown=unknown, several=several)


def _named(pack: SchemaPack, wish: Wish, entries: Mapping[str, list[str]]) -> tuple[str, ...]:
    for name in wish.messages:
        if name not in entries:
            raise Misconfigured(
                "pack.message",
                f"Het pakket heeft {name} niet. Zie gateway schemas list.",
                where=pack.name,
            )
    return tuple(dict.fromkeys(wish.messages)) or tuple(sorted(entries))


def _line(pack: SchemaPack, wish: Wish, message: str, entry: str) -> Activation:
    return Activation(
        message=message,
        version=wish.version,
        pack=pack.name,
        entry=entry,
        digest=pack.digest,
        partner=wish.partner,
        since=wish.since,
        until=wish.until,
        by=wish.by,
        made_at=wish.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which of the lines of a pack are meant; None = all."""

    pack: str
    messages: tuple[str, ...] = ()
    version: str | None = None
    partner: Oin | None = None


def running(activations: Activations, scope: Scope, at: datetime) -> tuple[Activation, ...]:
    """Return what of the scope is in force at that moment or begins later.

    Raises Misconfigured `pack.inactive` when that is nothing.
    """
    found = tuple(line for line in activations.lines if _within(line, scope, at))
    if not found:
        raise Misconfigured(
            "pack.inactive",
            "Dit pakket beoordeelt dan niets van wat is gevraagd. Zie gateway schemas list.",
            where=scope.pack,
        )
    return found


def _within(line: Activation, scope: Scope, at: datetime) -> bool:
    return (
        line.pack == scope.pack
        and (not scope.messages or line.message in scope.messages)
        and scope.version in {None, line.version}
        and scope.partner in {None, line.partner}
        and (line.until is None or line.until > at)
    )


def check_unneeded(activations: Activations, pack: str, at: datetime) -> None:
    """Raise Misconfigured `pack.needed` while the pack judges something, now or later."""
    needing = sorted(
        f"{line.message} {line.version}" for line in activations.needed(at) if line.pack == pack
    )
    if needing:
        raise Misconfigured(
            "pack.needed",
            f"Dit pakket is nog nodig, nu of later, voor {', '.join(dict.fromkeys(needing))}."
            " Activeer eerst een ander, of gebruik deactivate.",
            where=pack,
        )


def relieved(
    activations: Activations, ended: Iterable[Activation], at: datetime
) -> Iterator[tuple[Activation, Activation | None]]:
    """Yield for each what judges in its place at that moment; None = no pack."""
    for line in ended:
        partner = line.partner or Oin("")
        yield line, activations.choose(line.message, line.version, partner=partner, at=at)
