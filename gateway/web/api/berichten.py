"""Handing messages in, and following them."""

from enum import StrEnum
from http import HTTPMethod

from aiohttp import web
from pydantic import Field

from gateway.credentials import Scope
from gateway.directory import Backend
from gateway.errors import NoRoute
from gateway.lifecycle import State
from gateway.message import Aanlevering
from gateway.ports import DeliveryChannel, MessageView
from gateway.web.api import models, shapes
from gateway.web.api.body import must_be
from gateway.web.api.office import BACKEND, OFFICE
from gateway.web.api.operation import ROOT, Answer, Body, Operation
from gateway.web.api.query import Query, Text, Whole, Word, page


class Artikel(StrEnum):
    """Articles of the Wet politiegegevens under which data are processed."""

    DAGELIJKS = "8"
    GERICHT = "9"
    INZICHT = "10"
    ONDERSTEUNEND = "13"


class HandIn(Query):
    """What the document has no element for (domain 9.3)."""

    acuut: Word | None = Field(None, description="Of het antwoord binnen 24 uur nodig is.")
    onderzoek: Word | None = Field(
        None, description="Of er een strafrechtelijk onderzoek loopt: dan loopt er geen termijn."
    )
    wpg_artikel: Artikel | None = Field(
        None, description="Artikel van de Wet politiegegevens waaronder de gegevens vallen."
    )


class Page(Query):
    """Which messages to list."""

    voor: Text | None = Field(None, description="Na dit id: de berichten die ouder zijn.")
    limiet: Whole = page(default=50, most=200)


async def hand_in(request: web.Request, query: HandIn) -> web.Response:
    """Take in a document: 202, or 200 for one that was taken in before."""
    office = request.app[OFFICE]
    aanlevering = Aanlevering(
        acuut=query.acuut, onderzoek=query.onderzoek, wpg_artikel=query.wpg_artikel
    )
    must_be(request, "application/xml")
    most = office.gateway.snapshots.current().limits.payload_bytes
    async with office.intake.body(request, most=most, code="size.payload") as octets:
        receipt = await office.gateway.hand_in(octets, aanlevering, request[BACKEND])
    return shapes.answer(
        shapes.receipt(receipt),
        status=202 if receipt.fresh else 200,
        location=f"{ROOT}/berichten/{receipt.id}",
    )


async def show(request: web.Request, _query: Query) -> web.Response:
    """Return a message of this party with every step."""
    reader = request.app[OFFICE].gateway.reader
    view = await reader.message(request.match_info["id"])
    if view is None or not _visible(view, request[BACKEND]):
        raise NoRoute("bericht.onvindbaar", "Dit bericht is er niet.")
    return shapes.answer(shapes.message(view))


async def overview(request: web.Request, query: Page) -> web.Response:
    """Return the messages of this party, newest first, a page at a time."""
    reader = request.app[OFFICE].gateway.reader
    found = await reader.summaries(
        party=request[BACKEND].party, before=query.voor, limit=query.limiet
    )
    last = found[-1].message.id if found else ""
    following = f"{ROOT}/berichten?voor={last}&limiet={query.limiet}"
    return shapes.answer(
        models.Berichtenlijst(
            berichten=[shapes.summary(one) for one in found],
            volgende=following if len(found) == query.limiet else None,
        )
    )


def _visible(view: MessageView, backend: Backend) -> bool:
    """One party only: what it handed in or made, and what lies in its postvak."""
    return view.message.party == backend.party or any(
        d.channel is DeliveryChannel.POSTVAK
        and d.recipient == backend.party
        and d.state is not State.HELD
        for d in view.deliveries
    )


OPERATIONS = (
    Operation(
        id="geefBerichten",
        method=HTTPMethod.GET,
        path="/berichten",
        handler=overview,
        tag="berichten",
        summary="Berichten van deze partij",
        description="Wat is aangeleverd, wat hier is gemaakt en wat in het postvak ligt.",
        scope=Scope.READ,
        query=Page,
        answers={200: Answer(description="Een bladzijde.", model=models.Berichtenlijst)},
    ),
    Operation(
        id="leverBerichtAan",
        method=HTTPMethod.POST,
        path="/berichten",
        handler=hand_in,
        tag="berichten",
        summary="Een bericht aanleveren",
        description="Hetzelfde document met hetzelfde referentienummer nog eens aanleveren geeft "
        "hetzelfde antwoord en verandert niets: na een verbroken verbinding kan het veilig "
        "opnieuw. Hetzelfde referentienummer met een andere inhoud is een 409.",
        scope=Scope.HAND_IN,
        query=HandIn,
        body=Body(description="Het document, zoals het naar de ontvanger gaat."),
        answers={
            200: Answer(
                description="Al eerder aangenomen; het bewijs van toen.",
                model=models.Ontvangstbewijs,
                headers={"Location": "Waar het bericht te volgen is."},
            ),
            202: Answer(
                description="Aangenomen of vastgehouden, en vastgelegd.",
                model=models.Ontvangstbewijs,
                headers={"Location": "Waar het bericht te volgen is."},
            ),
        },
        problems=frozenset({409}),
    ),
    Operation(
        id="geefBericht",
        method=HTTPMethod.GET,
        path="/berichten/{id}",
        handler=show,
        tag="berichten",
        summary="Een bericht en alles wat ermee gebeurde",
        description="Van een bericht dat van een andere partij is, is niet te zien dat het er is.",
        scope=Scope.READ,
        answers={200: Answer(description="Het bericht.", model=models.BerichtMetStappen)},
    ),
)
