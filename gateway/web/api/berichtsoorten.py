"""What is connected: for whoever connects a system."""

from http import HTTPMethod

from aiohttp import web

from gateway.catalogue import ASKED_BY, REPLIES
from gateway.credentials import Scope
from gateway.message import Oin
from gateway.ports import Direction
from gateway.rules.connections import Connection, connections
from gateway.web.api import models, shapes
from gateway.web.api.office import BACKEND, OFFICE
from gateway.web.api.operation import Answer, Operation
from gateway.web.api.query import Query


async def show(request: web.Request, _query: Query) -> web.Response:
    """Return every message that the party can send or get, with whom and how."""
    office = request.app[OFFICE]
    directory = office.gateway.snapshots.current()
    system = request[BACKEND]
    party = directory.parties[system.party]
    found = connections(directory, party, at=office.clock.now())
    return shapes.answer(
        models.Berichtsoorten(
            partij=party.oin,
            applicaties=list(system.applicaties),
            berichtsoorten=[_shape(one, party.oin) for one in found],
        )
    )


def _shape(one: Connection, me: Oin) -> models.Berichtsoort:
    agreement, channel = one.agreement, one.channel
    return models.Berichtsoort(
        soort=one.kind.name,
        versie=one.kind.version,
        richting=Direction.OUTBOUND if one.sends else Direction.INBOUND,
        partij=one.other.oin,
        naam=one.other.name,
        rol=one.other.role,
        applicaties=list(one.other.applicaties),
        via=one.via,
        kanaal="ebms2" if agreement else "postvak",
        profiel=channel.profile if channel else "",
        cpa=agreement.cpa_id if agreement else "",
        geldig_tot=agreement.end if agreement else None,
        antwoord_op=ASKED_BY.get(one.kind.name, ""),
        beantwoord_met=REPLIES.get(one.kind.name, ""),
        vrager=_asker(one, me),
    )


def _asker(one: Connection, me: Oin) -> str:
    """Who asks sends the question and gets the answer."""
    if one.kind.name in REPLIES:
        return me if one.sends else one.other.oin
    if one.kind.name in ASKED_BY:
        return one.other.oin if one.sends else me
    return ""


OPERATIONS = (
    Operation(
        id="geefBerichtsoorten",
        method=HTTPMethod.GET,
        path="/berichtsoorten",
        handler=show,
        tag="berichten",
        summary="Wat er is aangesloten",
        description="Elk bericht dat deze partij kan versturen of krijgen, met wie en hoe, volgens "
        "de catalogus en de overeenkomsten die nu gelden. Bv01 en Fo01 staan er niet bij: die "
        "horen bij elk bericht.",
        scope=Scope.READ,
        answers={200: Answer(description="De berichtsoorten.", model=models.Berichtsoorten)},
    ),
)
