"""Handing messages in, and following them."""

from enum import StrEnum
from http import HTTPMethod
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from gateway.credentials import Scope
from gateway.directory import Backend
from gateway.errors import Finding, NoRoute, SchemaViolation
from gateway.lifecycle import IN_POSTVAK
from gateway.message import Aanlevering
from gateway.ports import DeliveryChannel, Direction, MessageView, Page, Standing, Wanted
from gateway.ports.reading import Answered
from gateway.web.api import cursor, models, shapes
from gateway.web.api.body import must_be
from gateway.web.api.office import BACKEND, OFFICE
from gateway.web.api.operation import ROOT, Answer, Body, Operation
from gateway.web.api.query import CODE, Moment, Query, Text, Whole, Word, page


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
    deel_van: Text | None = Field(
        None,
        description="Referentienummer van een eerder aangeleverd bericht waarvan dit het andere "
        "deel is: het deel zonder strafrechtelijke gegevens gaat vast, de rest wacht op het OM.",
    )
    vervangt: Text | None = Field(
        None,
        description="Referentienummer van een eerder aangeleverd bericht waarvoor dit in de plaats "
        "komt, bijvoorbeeld na terugNaarAfzender.",
    )

    proef: Word = Field(
        default=False,
        description="true: alleen beoordelen. Er wordt niets vastgelegd of verzonden, en het "
        "referentienummer blijft vrij. Het antwoord is een oordeel met elke controle.",
    )


class Listing(Query):
    """Which messages to list, and from where."""

    na: Text | None = Field(
        None,
        description="Cursor van een vorig antwoord: verder vanaf daar, de oudste eerst. Wie zo "
        "doorgaat mist geen bericht dat hij aanleverde; wat binnenkomt staat volledig in /postvak, "
        "want de plaats hier is die van het moment van aanlevering.",
    )
    sinds: Moment | None = Field(
        None, description="Alleen wat vanaf dit moment is ontvangen, de oudste eerst."
    )
    voor: Text | None = Field(
        None, description="Cursor van een vorig antwoord: verder terug, de nieuwste eerst."
    )
    referentienummer: Text | None = Field(None, description="Precies dit referentienummer.")
    zaak: Text | None = Field(
        None,
        description="Kenmerk van de zaak: identificatieVtMelding, verzoekidentificatie, "
        "uwIdentificatie of anders het crossRefnummer. Bekend zolang de inhoud bewaard is.",
    )
    soort: Text | None = Field(None, description="Naam van het bericht, zoals `vtMeldingDi01`.")
    status: Standing | None = Field(None, description="Waar het bericht staat.")
    antwoord: Answered | None = Field(
        None,
        description="Alleen waarop dit het antwoord was dat telt: `Fo01Bericht` voor wat de "
        "ontvanger weigerde, ook als het bezorgd is.",
    )
    richting: Direction | None = Field(
        None, description="`in`, `uit`, of `eigen`: Bv01 en Fo01 van hier."
    )
    limiet: Whole = page(default=50, most=200)

    @property
    def ascends(self) -> bool:
        """Tell whether the oldest come first."""
        return self.na is not None or self.sinds is not None

    def following(self, position: int) -> str:
        """Return the same question from another place on."""
        place = "na" if self.ascends else "voor"
        said = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if self.sinds is not None:
            said["sinds"] = models.rfc3339_exact(self.sinds)
        return f"{ROOT}/berichten?{urlencode(said | {place: cursor.write(position)})}"


async def hand_in(request: web.Request, query: HandIn) -> web.Response:
    """Take in a document: 202, or 200 for one that was taken in before."""
    office = request.app[OFFICE]
    aanlevering = Aanlevering(
        acuut=query.acuut,
        onderzoek=query.onderzoek,
        wpg_artikel=query.wpg_artikel,
        deel_van=query.deel_van,
        vervangt=query.vervangt,
    )
    must_be(request, "application/xml")
    most = office.gateway.snapshots.current().limits.payload_bytes
    async with (
        office.intake.body(request, most=most, code="size.payload") as octets,
        office.turns.turn(len(octets)),
    ):
        if query.proef:
            trial = await office.gateway.try_out(octets, aanlevering, request[BACKEND])
            return shapes.answer(shapes.trial(trial))
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
    if view.message.party != request[BACKEND].party:
        return shapes.answer(shapes.received(view, request[BACKEND].party))
    sent = view.message.direction is Direction.OUTBOUND
    gateway = request.app[OFFICE].gateway
    rulings = await gateway.holds.rulings(view.message.id) if sent else ()
    return shapes.answer(shapes.message(view, rulings))


async def overview(request: web.Request, query: Listing) -> web.Response:
    """Return a page of the messages of this party."""
    _one_way(query)
    found = await _page(request, query)
    full = len(found.found) == query.limiet and found.last is not None
    return shapes.answer(
        models.Berichtenlijst(
            berichten=[shapes.summary(one) for one in found.found],
            volgende=query.following(found.last or 0) if full else None,
            cursor=None if found.last is None else cursor.write(found.last),
        )
    )


async def _page(request: web.Request, query: Listing) -> Page:
    reader = request.app[OFFICE].gateway.reader
    wanted = Wanted(
        party=request[BACKEND].party,
        since=query.sinds,
        referentienummer=query.referentienummer,
        zaak=query.zaak,
        kind=query.soort,
        direction=query.richting,
        standing=query.status,
        answer=query.antwoord,
    )
    if query.ascends:
        after = None if query.na is None else cursor.read(query.na, "na")
        return await reader.in_order(wanted, after=after, limit=query.limiet)
    below = None if query.voor is None else cursor.read(query.voor, "voor")
    return await reader.newest(wanted, below=below, limit=query.limiet)


def _one_way(query: Listing) -> None:
    if query.ascends and query.voor is not None:
        text = "voor gaat terug in de tijd, na en sinds vooruit."
        found = Finding(
            code=CODE, rule="query", path="?voor", text=text, remedy="Geef er een van beide."
        )
        raise SchemaViolation((found,), code=CODE)


def _visible(view: MessageView, backend: Backend) -> bool:
    """One party only: what it handed in or made, and what lies in its postvak."""
    return view.message.party == backend.party or any(
        d.channel is DeliveryChannel.POSTVAK
        and d.recipient == backend.party
        and d.state in IN_POSTVAK
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
        description="Wat is aangeleverd, wat hier is gemaakt en wat in het postvak ligt; zonder "
        "meer de nieuwste eerst. Na een storing: vraag met `na` en de laatst bewaarde `cursor`, of "
        "met `sinds`, en volg `volgende` tot die null is. Een nieuwe status van een bericht dat al "
        "is gezien staat hier niet bij.",
        scope=Scope.READ,
        query=Listing,
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
        "opnieuw. Hetzelfde referentienummer met een andere inhoud is een 409. Met "
        "`proef=true` wordt het bericht alleen beoordeeld.",
        scope=Scope.HAND_IN,
        query=HandIn,
        body=Body(description="Het document, zoals het naar de ontvanger gaat."),
        answers={
            200: Answer(
                description="Al eerder aangenomen: het bewijs van toen. Met `proef=true`: het "
                "oordeel, ook als dat een weigering is.",
                model=models.Ontvangstbewijs,
                other=models.Proefoordeel,
                headers={"Location": "Waar het bericht te volgen is; niet bij een proef."},
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
