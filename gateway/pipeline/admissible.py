"""What is asked of a document that is handed in, before anything of it is stored.

A trial asks the same, in the same order. Nothing here commits.
"""

from datetime import datetime

from gateway.catalogue import MessageKind
from gateway.directory import Backend, Directory
from gateway.errors import DuplicateConflict, NoRoute, PolicyViolation
from gateway.message import Aanlevering, Oin
from gateway.pipeline import conditions, judge
from gateway.pipeline.house import House
from gateway.ports import Known
from gateway.rules import approval, classification, routing
from gateway.wire import toets
from gateway.wire.stuf import ANSWERS, Document


def may_be_handed_in(document: Document, backend: Backend) -> None:
    """Raise PolicyViolation for an answer, or a zender that this system does not speak for."""
    _not_made_here(document)
    _own_applicatie(document, backend)


async def known_as(house: House, document: Document) -> Known | None:
    """Return the message that was taken in under the same referentienummer, or None."""
    stuurgegevens = document.stuurgegevens
    if stuurgegevens.zender is None:
        return None
    return await house.inbox.by_key(
        stuurgegevens.zender.organisatie,
        stuurgegevens.zender.applicatie,
        stuurgegevens.referentienummer,
    )


async def linked(house: House, document: Document, aanlevering: Aanlevering) -> None:
    """Raise PolicyViolation `aanlevering.verwijzing` for a link to what was not handed in here."""
    zender, own = document.stuurgegevens.zender, document.stuurgegevens.referentienummer
    for name, number in (("deelVan", aanlevering.deel_van), ("vervangt", aanlevering.vervangt)):
        if number is None or zender is None:
            continue
        found = await house.inbox.by_key(zender.organisatie, zender.applicatie, number)
        if found is None or number == own:
            raise PolicyViolation(
                "aanlevering.verwijzing",
                f"{name} noemt geen eerder bericht van deze zender en applicatie.",
                where=name,
            )


def same_as(known: Known, document: Document, aanlevering: Aanlevering, backend: Backend) -> None:
    """Raise DuplicateConflict unless it is the message that is known already."""
    where = f"/{document.name}/stuurgegevens/referentienummer"
    if known.content_sha256 != document.sha256 or known.party != backend.party:
        raise DuplicateConflict(
            "duplicate.referentienummer",
            "Dit referentienummer is al gebruikt voor een bericht met een andere inhoud.",
            where=where,
        )
    if known.aanlevering != aanlevering:
        raise DuplicateConflict(
            "duplicate.aanlevering",
            "Dit bericht is al aangeleverd met andere gegevens over acuut, onderzoek of Wpg.",
            where=where,
        )


def kind_and_route(
    directory: Directory, document: Document, at: datetime
) -> tuple[MessageKind, routing.Route]:
    """The version is that of the agreement; the newest that can be routed and judged now.

    Raises SchemaViolation `bericht.onbekend`, and NoRoute.
    """
    versions = directory.catalogue.versions(document.name)
    if not versions:
        judge.kind_of(document, "geen", directory)
    failure: NoRoute | None = None
    later: tuple[MessageKind, routing.Route] | None = None
    for version in reversed(versions):
        kind = judge.kind_of(document, version, directory)
        try:
            route = routing.route(
                document.stuurgegevens,
                kind.name,
                version,
                directory=directory,
                received_from=None,
                origin=None,
                at=at,
            )
        except NoRoute as error:
            failure = failure or error
            continue
        if judge.has_schema(directory, kind, partner=partner_of(route), at=at):
            return kind, route
        later = later or (kind, route)
    if later is not None:
        return later
    raise failure or NoRoute("route.unknown", "De ontvanger is hier niet bekend.")


def at_the_gate(
    directory: Directory,
    document: Document,
    kind: MessageKind,
    aanlevering: Aanlevering,
    backend: Backend,
    at: datetime,
) -> tuple[classification.Verdict, approval.Released | approval.Hold]:
    """Classify, then pass or hold; raises PolicyViolation, and NoRoute `route.unknown`."""
    verdict = classification.classify(
        document, aanlevering, version=kind.version, table=directory.gate.table
    )
    ontvanger = document.stuurgegevens.ontvanger
    receiver = directory.party(ontvanger.organisatie) if ontvanger else None
    if receiver is None:
        raise NoRoute("route.unknown", "De ontvanger is hier niet bekend.")
    gate = approval.pass_or_hold(
        verdict,
        sender=directory.parties[backend.party],
        receiver=receiver,
        kind=kind,
        gate=directory.gate,
        payload_sha256=document.sha256,
        at=at,
    )
    if isinstance(gate, approval.Hold) or not gate.conditions:
        return verdict, gate
    told = conditions.can_be_told(directory, document.stuurgegevens, at)
    return verdict, gate if told else approval.untold(verdict)


def _not_made_here(document: Document) -> None:
    """What the gateway makes itself: handed in, its text would pass no gate.

    An answer is made by confirming or refusing in the postvak, a message of the gate by the gate.
    """
    if document.name in ANSWERS:
        raise PolicyViolation(
            "bericht.antwoord",
            "Een Bv01 of Fo01 wordt niet aangeleverd: bevestig of weiger in het postvak.",
            where=f"/{document.name}",
        )
    if document.name in toets.KINDS:
        raise PolicyViolation(
            "toets.eigen",
            "Dit bericht maakt de gateway zelf; het wordt niet aangeleverd.",
            where=f"/{document.name}",
        )


def partner_of(route: routing.Route) -> Oin:
    """The other party of the agreement; without one, the local party that receives."""
    return route.party if isinstance(route, routing.ToPostvak) else route.recipient


def _own_applicatie(document: Document, backend: Backend) -> None:
    zender = document.stuurgegevens.zender
    if zender is None or zender.organisatie != backend.party:
        raise PolicyViolation(
            "zender.organisatie",
            "De zender in het bericht is niet de partij waarvoor dit systeem is aangemeld.",
            where=f"/{document.name}/stuurgegevens/zender/organisatie",
        )
    if zender.applicatie not in backend.applicaties:
        raise PolicyViolation(
            "zender.applicatie",
            "De applicatie van de zender is niet aan dit systeem toegewezen.",
            where=f"/{document.name}/stuurgegevens/zender/applicatie",
        )
