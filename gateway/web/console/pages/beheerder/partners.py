"""Partners and what was agreed with them, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gateway.credentials import UserRole
from gateway.directory import Agreement, Binding, Directory, Party
from gateway.message import Oin
from gateway.ports.overview import Lane
from gateway.security.cpa_lint import all_remarks
from gateway.web.console.language import N_
from gateway.web.console.page import Page
from gateway.web.console.visit import Visit
from gateway.wire.tijd import civil

BEHEERDER = frozenset({UserRole.BEHEERDER})
DONE = {
    "afgesproken": N_("De afspraak staat er. De draaiende processen lezen hun bestanden opnieuw."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A party in the list."""

    party: Party
    agreements: Sequence[Agreement]
    suspended: bool
    lanes: Sequence[Lane]

    @property
    def down(self) -> bool:
        return any(lane.down_since is not None for lane in self.lanes)


def of_party(directory: Directory, oin: Oin) -> list[Agreement]:
    """Return the agreements that a party is in, by id."""
    return sorted(
        (one for one in directory.agreements.values() if oin in {p.id for p in one.parties}),
        key=lambda one: one.cpa_id,
    )


async def partners(visit: Visit) -> web.Response:
    """List every party that is known here."""
    directory = visit.office.directory
    lanes = await visit.office.overview.lanes()
    lines = [
        Line(
            party=party,
            agreements=of_party(directory, oin),
            suspended=oin in directory.suspended,
            lanes=[lane for lane in lanes if lane.recipient == oin],
        )
        for oin, party in directory.parties.items()
    ]
    return visit.show("beheerder/partners.html", lines=lines, done=visit.done(DONE))


async def partner(visit: Visit) -> web.Response:
    """Show one party: its agreements in words, and what counts otherwise for it."""
    directory = visit.office.directory
    party = directory.parties.get(Oin(visit.path("oin")))
    if party is None:
        raise web.HTTPNotFound
    now = visit.now()
    return visit.show(
        "beheerder/partner.html",
        party=party,
        suspended=party.oin in directory.suspended,
        exceptions=[
            (one, civil(one.until - timedelta(seconds=1)).date(), now >= one.until)
            for one in party.exceptions
        ],
        agreements=[
            (one, one.in_force(now), all_remarks(one, at=now, parties=directory.parties))
            for one in of_party(directory, party.oin)
        ],
        directions=_directions,
        lanes=[lane for lane in await visit.office.overview.lanes() if lane.recipient == party.oin],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What one party may send to the other under one set of terms."""

    sender: str
    receiver: str
    endpoint: str
    profile: str
    retries: int
    minutes: float
    actions: Sequence[str]


def _directions(agreement: Agreement) -> list[Way]:
    """Return what the agreement lets go each way, terms that are the same taken together."""
    found: dict[tuple[object, ...], list[Binding]] = {}
    for binding in agreement.bindings:
        channel = binding.channel
        terms = (
            binding.sender.id,
            binding.receiver.id,
            channel.endpoint,
            channel.profile,
            channel.retries,
            channel.retry_interval,
        )
        found.setdefault(terms, []).append(binding)
    return [_way(bindings) for bindings in found.values()]


def _way(bindings: Sequence[Binding]) -> Way:
    first = bindings[0]
    channel = first.channel
    return Way(
        sender=first.sender.id,
        receiver=first.receiver.id,
        endpoint=channel.endpoint,
        profile=channel.profile,
        retries=channel.retries,
        minutes=round(channel.retry_interval.total_seconds() / 60, 1),
        actions=sorted(binding.action for binding in bindings),
    )


PAGES = (
    Page(path="/partners", handler=partners, roles=BEHEERDER, nav=N_("Partners")),
    Page(path="/partners/{oin}", handler=partner, roles=BEHEERDER),
)
