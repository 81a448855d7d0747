"""What the gateway knows, in the shapes of the REST API."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.pipeline import Receipt, Trial
from gateway.pipeline.trying import Checked, Oordeel
from gateway.ports import (
    AuditRow,
    DeliveryChannel,
    DeliveryKind,
    DeliveryView,
    Known,
    MessageView,
    PostvakItem,
    RulingView,
    Standing,
    Summary,
    standing,
)
from gateway.ports.reading import Answered
from gateway.rules.classification import Reason
from gateway.web.api import models, steps
from gateway.web.api.operation import ROOT
from gateway.web.errors import finding_shape, findings_of, status_of


def answer(body: BaseModel, *, status: int = 200, location: str | None = None) -> web.Response:
    """Return a JSON response."""
    text = body.model_dump_json(by_alias=True)
    response = web.Response(text=text, status=status, content_type="application/json")
    if location is not None:
        response.headers["Location"] = location
    return response


def receipt(receipt: Receipt) -> models.Ontvangstbewijs:
    """What a back-end gets for a hand-in."""
    return models.Ontvangstbewijs(
        id=receipt.id,
        status="vastgehouden" if receipt.held else "aangenomen",
        redenen=list(receipt.reasons),
        redencodes=reasons(receipt.grounds),
        referentienummer=receipt.referentienummer,
        herhaald=not receipt.fresh,
        waarschuwingen=[
            models.Bevinding.model_validate(finding_shape(one)) for one in receipt.warnings
        ],
    )


def reasons(found: Iterable[Reason]) -> list[models.Reden]:
    """Why it is held."""
    return [models.Reden(code=r.rule, pad=r.path, tekst=r.text) for r in found]


_ANSWERED = {Oordeel.ACCEPTED: 202, Oordeel.HELD: 202, Oordeel.REPEATED: 200}


def trial(trial: Trial) -> models.Proefoordeel:
    """What a back-end gets for a hand-in that was only tried."""
    refused = trial.error if trial.oordeel is Oordeel.REFUSED else None
    return models.Proefoordeel(
        oordeel=trial.oordeel,
        status=status_of(refused) if refused else _ANSWERED[trial.oordeel],
        code=refused.code if refused else "",
        redenen=list(trial.reasons),
        redencodes=reasons(trial.grounds),
        soort=trial.kind,
        versie=trial.version,
        referentienummer=trial.referentienummer,
        omvang=trial.size,
        ontvanger=trial.recipient,
        kanaal=trial.channel,
        cpa=trial.cpa_id,
        uiterlijk=trial.deadline,
        controles=[_check(one) for one in trial.checks],
    )


def _check(one: Checked) -> models.Controle:
    refusing = findings_of(one.error) if one.error else ()
    shapes = [finding_shape(finding) for finding in (*refusing, *one.findings)]
    findings = [models.Bevinding.model_validate(shape) for shape in shapes]
    return models.Controle(naam=one.check, uitslag=one.outcome, bevindingen=findings)


def _known(message: Known) -> dict[str, Any]:
    """The facts of a message; nothing of its content."""
    return {
        "id": message.id,
        "ontvangen": message.at,
        "richting": str(message.direction),
        "soort": message.kind,
        "versie": message.version,
        "zender": message.zender,
        "zender_applicatie": message.zender_applicatie,
        "ontvanger": message.ontvanger,
        "ontvanger_applicatie": message.ontvanger_applicatie,
        "referentienummer": message.referentienummer,
        "cross_refnummer": message.cross_refnummer,
        "deel_van": message.aanlevering.deel_van or "",
        "vervangt": message.aanlevering.vervangt or "",
        "zaak": message.zaak,
        "cpa": message.cpa_id,
        "message_id": message.message_id,
        "sha256": message.content_sha256,
        "aangenomen": message.accepted,
        "antwoord": message.answer,
        "link": f"{ROOT}/berichten/{message.id}",
    }


_EXPLAINED = {
    Standing.UNKNOWN: "Het is niet zeker of het bericht is aangekomen. Een medewerker beslist.",
    Standing.DEAD: "Het bericht is niet aantoonbaar bezorgd en wordt niet meer verzonden. "
    "Lever het zo nodig opnieuw aan met een nieuw referentienummer.",
    Standing.REFUSED: "De ontvanger heeft het bericht geweigerd.",
}
_REFUSED_THEN = (
    "Het bericht is bezorgd en daarna door de ontvanger geweigerd: de redenen staan in zijn Fo01."
)


def status(message: Known, states: Iterable[State]) -> Standing:
    """One word for a message, by the delivery that is worst off."""
    return standing(states, accepted=message.accepted)


def summary(one: Summary) -> models.Bericht:
    """A message in a list."""
    return models.Bericht(**_known(one.message), status=status(one.message, one.states))


def message(view: MessageView, rulings: Iterable[RulingView] = ()) -> models.BerichtMetStappen:
    """A message with its deliveries, every step, and what the OM decided on it."""
    states = [d.state for d in view.deliveries if d.kind is DeliveryKind.MESSAGE]
    word = status(view.message, states)
    return models.BerichtMetStappen(
        **_known(view.message),
        status=word,
        toelichting=_explained(view.message, word) if states else "",
        leveringen=[_delivery(d) for d in view.deliveries],
        stappen=[_step(row) for row in view.trace],
        toets=[_ruling(one) for one in rulings],
    )


def _explained(known: Known, word: Standing) -> str:
    if word is Standing.DELIVERED and known.answer == Answered.REFUSED:
        return _REFUSED_THEN
    return _EXPLAINED.get(word, "")


def received(view: MessageView, party: Oin) -> models.BerichtMetStappen:
    """A message as its recipient may see it: his own deliveries, and nothing of how it came."""
    mine = [
        d for d in view.deliveries if d.recipient == party and d.channel is DeliveryChannel.POSTVAK
    ]
    ids = {d.id for d in mine}
    facts = _known(view.message) | {"deel_van": "", "vervangt": ""}
    return models.BerichtMetStappen(
        **facts,
        status=status(view.message, [d.state for d in mine]),
        toelichting="",
        leveringen=[_delivery(d).model_copy(update={"grond": "", "toestemming": ""}) for d in mine],
        stappen=[
            _step(row)
            for row in view.trace
            if row.event.delivery in ids and row.event.event.startswith("postvak.")
        ],
        toets=[],
    )


def _ruling(one: RulingView) -> models.Toetsaantekening:
    return models.Toetsaantekening(
        besluit=one.id,
        uitkomst=str(one.outcome),
        te_melden=one.told,
        bekend=one.known,
        voorwaarden=[
            models.Toetsvoorwaarde(code=v.code, tekst=v.tekst, aanvaarding=v.aanvaarding)
            for v in one.conditions
        ],
        genomen=one.decided_at,
        geldig_tot=one.valid_until,
        vervallen=one.ended_at,
    )


def _delivery(view: DeliveryView) -> models.Levering:
    return models.Levering(
        id=view.id,
        ontvanger=view.recipient,
        kanaal=view.channel,
        soort=view.kind,
        status=view.state,
        toestand=standing((view.state,), accepted=True),
        pogingen=view.attempt,
        grond=view.ground,
        toestemming=view.approval_id,
        volgende_poging=view.next_at,
        code=view.last_code,
        bezorgd=view.delivered_at,
    )


def _step(row: AuditRow) -> models.Stap:
    event = row.event
    return models.Stap(
        tijd=event.at,
        gebeurtenis=event.event,
        stap=steps.label(event.event, event.data.get("kind")),
        levering=event.delivery,
        code=event.code,
        partij=event.party,
        door=event.actor,
        gegevens=dict(event.data),
    )


def item(item: PostvakItem) -> models.PostvakBericht:
    """A message that waits in the postvak; `id` is that of the delivery."""
    return models.PostvakBericht(
        id=item.delivery,
        bericht=item.message.id,
        referentienummer=item.message.referentienummer,
        cross_refnummer=item.message.cross_refnummer,
        soort=item.message.kind,
        versie=item.message.version,
        zender=item.message.zender,
        zender_applicatie=item.message.zender_applicatie,
        applicatie=item.applicatie,
        ontvangen=item.message.at,
        herhaald=item.repeated,
        lease_tot=item.lease_until,
        omvang=item.size,
        sha256=item.payload_sha256,
        link=f"{ROOT}/postvak/{item.delivery}/inhoud",
    )
