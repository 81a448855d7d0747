"""Where does a message go? The business envelope says, the agreements say how."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.catalogue import Role
from gateway.directory import Agreement, Binding, Directory, OwnMail, Party
from gateway.errors import NoRoute
from gateway.message import Oin, Stuurgegevens
from gateway.rules.mailing import Policy, policy_for
from gateway.wire.stuf import ANSWERS


class Origin(Protocol):
    """The message that an answer is about: who sent it, with which system."""

    @property
    def zender(self) -> Oin: ...
    @property
    def zender_applicatie(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPostvak:
    """To a back-end of a local party."""

    party: Oin
    applicatie: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPartner:
    """Over ebMS. `recipient` is the other party of the agreement, so possibly the hub."""

    recipient: Oin
    binding: Binding
    cpa_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMail:
    """By secure e-mail: no agreement of the pair has the message (domain 9.7)."""

    recipient: Oin
    own: OwnMail


Route = ToPostvak | ToPartner | ToMail


@dataclass(frozen=True, slots=True, kw_only=True)
class _Journey:
    name: str
    version: str
    directory: Directory
    received_from: Oin | None
    at: datetime

    @property
    def answer(self) -> bool:
        return self.name in ANSWERS


def route(  # noqa: PLR0913 - the facts of one decision, all by name
    stuurgegevens: Stuurgegevens,
    name: str,
    version: str,
    *,
    directory: Directory,
    received_from: Oin | None,
    origin: Origin | None,
    at: datetime,
) -> Route:
    """Return the way to `stuurgegevens/ontvanger`; `origin` is the answered message.

    To the postvak of a local party, else over the agreement with the recipient itself, else over
    that with the hub, else by secure e-mail where that is the normal route. A suspended recipient
    has a route: its delivery waits. `version` is that of the koppelvlak. Raises NoRoute:
    `route.unknown` (party), `route.applicatie`, `route.agreement` (no agreement has this message),
    `route.loop` (back to whence it came).
    """
    journey = _Journey(
        name=name, version=version, directory=directory, received_from=received_from, at=at
    )
    party, applicatie = _target(journey, stuurgegevens, origin)
    if party.local:
        return _to_postvak(journey, party, applicatie, origin)
    return _to_partner(journey, party)


def _target(
    journey: _Journey, stuurgegevens: Stuurgegevens, origin: Origin | None
) -> tuple[Party, str]:
    """An answer without ontvanger goes to whoever sent what it answers (domain 1.4)."""
    to = stuurgegevens.ontvanger
    if to is not None:
        oin, applicatie = to.organisatie, to.applicatie
    elif journey.answer and origin is not None:
        oin, applicatie = origin.zender, origin.zender_applicatie
    else:
        raise NoRoute("route.unknown", "Het bericht noemt geen ontvanger.")
    party = journey.directory.party(oin)
    if party is None:
        raise NoRoute("route.unknown", "De ontvanger is hier niet bekend.", where=_where(journey))
    return party, applicatie


def _to_postvak(
    journey: _Journey, party: Party, applicatie: str, origin: Origin | None
) -> ToPostvak:
    names = [applicatie]
    if journey.answer and origin is not None and origin.zender == party.oin:
        # An answer to what could not be read does not know the applicatie.
        names.append(origin.zender_applicatie)
    for name in names:
        if name in party.applicaties:
            return ToPostvak(party=party.oin, applicatie=name)
    raise NoRoute(
        "route.applicatie",
        "De ontvanger heeft geen applicatie met deze naam.",
        where=_where(journey, "applicatie"),
    )


def _to_partner(journey: _Journey, party: Party) -> ToPartner | ToMail:
    looped = False
    for hop in hops(journey.directory, party):
        found = _agreed(journey, hop)
        if found is None:
            continue
        if hop == journey.received_from and not (journey.answer and hop == party.oin):
            looped = True
            continue
        return found
    if looped:
        raise NoRoute("route.loop", "Het bericht zou teruggaan naar waar het vandaan kwam.")
    directory, own = journey.directory, journey.directory.mail
    policy = policy_for(directory, party, hops(directory, party), journey.name)
    if own is not None and policy is Policy.NORMAL:
        return ToMail(recipient=party.oin, own=own)
    raise NoRoute(
        "route.agreement",
        "Er is geen afspraak waaronder dit bericht naar de ontvanger kan.",
        where=_where(journey),
    )


def hops(directory: Directory, party: Party) -> Iterator[Oin]:
    """Yield who could take it: the recipient itself, then (for an access point) the hub."""
    yield party.oin
    me = directory.party(directory.me)
    if me is not None and me.role is Role.KNOOPPUNT:
        return
    hubs = (p.oin for p in directory.parties.values() if p.role is Role.KNOOPPUNT)
    yield from (oin for oin in sorted(hubs) if oin not in {party.oin, directory.me})


def _agreed(journey: _Journey, hop: Oin) -> ToPartner | None:
    """Return the way over the newest agreement in force that has the message.

    Answers are the same in every version: the version is a preference for them only.
    """
    directory = journey.directory
    agreements = directory.between(directory.me, hop, at=journey.at)
    found = [(a, b) for a in agreements for b in a.find(directory.me, journey.name)]
    exact = [(a, b) for a, b in found if directory.services.get(b.service) == journey.version]
    choice: list[tuple[Agreement, Binding]] = exact or (found if journey.answer else [])
    if not choice:
        return None
    agreement, binding = choice[0]
    return ToPartner(recipient=hop, binding=binding, cpa_id=agreement.cpa_id)


def _where(journey: _Journey, name: str = "organisatie") -> str:
    return f"/{journey.name}/stuurgegevens/ontvanger/{name}"


def parket_for(directory: Directory, police: Oin, system: str) -> str:
    """Return the parket that a request goes to: the first that fits, else the first of all.

    Empty where the installation has one for all.
    """
    parketten = directory.deciding.parketten
    for parket in parketten:
        of_police = not parket.politie or police in parket.politie
        if of_police and (not parket.applicaties or system in parket.applicaties):
            return parket.naam
    return parketten[0].naam if parketten else ""
