"""Which messages can a party exchange, with whom and how? By the agreements and the catalogue.

For people who connect a system; nothing is decided by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.catalogue import MessageKind, Role
from gateway.directory import Agreement, Channel, Directory, Party
from gateway.message import Oin


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One message in one direction with one other party."""

    kind: MessageKind
    sends: bool
    """True: the party may send it. False: it may come in."""
    other: Party
    agreement: Agreement | None
    """None between parties of this installation."""
    channel: Channel | None
    via: Oin
    """The other party of the agreement: `other` itself, or a hub."""


def connections(directory: Directory, party: Party, *, at: datetime) -> tuple[Connection, ...]:
    """Return what `party`, a local one, can send and get; sorted. Answers go without saying."""
    found = (
        one
        for kind in directory.catalogue.kinds.values()
        if not kind.answer
        for other in directory.parties.values()
        if other.oin != party.oin
        for one in _both_ways(directory, party, other, kind, at)
    )
    return tuple(sorted(found, key=_order))


def _order(one: Connection) -> tuple[str, str, bool, str]:
    return one.kind.name, one.kind.version, not one.sends, one.other.oin


def _both_ways(
    directory: Directory, party: Party, other: Party, kind: MessageKind, at: datetime
) -> Iterator[Connection]:
    for sends, sender, receiver in ((True, party, other), (False, other, party)):
        if not kind.permits(sender.role, receiver.role):
            continue
        if other.local:
            yield Connection(
                kind=kind, sends=sends, other=other, agreement=None, channel=None, via=other.oin
            )
        elif (way := _way(directory, other, kind, sends=sends, at=at)) is not None:
            hop, agreement, channel = way
            yield Connection(
                kind=kind, sends=sends, other=other, agreement=agreement, channel=channel, via=hop
            )


def _way(
    directory: Directory, other: Party, kind: MessageKind, *, sends: bool, at: datetime
) -> tuple[Oin, Agreement, Channel] | None:
    """Over the agreement with the party itself, else with a hub: as routing does."""
    hubs = sorted(p.oin for p in directory.parties.values() if p.role is Role.KNOOPPUNT)
    for hop in dict.fromkeys((other.oin, *hubs)):
        if hop == directory.me:
            continue
        sender = directory.me if sends else hop
        for agreement in directory.between(directory.me, hop, at=at):
            for binding in agreement.find(sender, kind.name):
                if directory.services.get(binding.service) == kind.version:
                    return hop, agreement, binding.channel
    return None
