"""Dutch names of what can happen to a message, for the trace that back-ends see."""

from collections.abc import Mapping
from types import MappingProxyType

STEPS: Mapping[str, str] = MappingProxyType(
    {
        "message.handed_in": "Aangeleverd door het eigen systeem",
        "message.tried": "Alleen beoordeeld; niets vastgelegd of verzonden",
        "message.received": "Ontvangen van de partner",
        "message.opened": "Ontsleuteld en handtekening gecontroleerd",
        "message.validated": "Schema en regels gecontroleerd",
        "message.classified": "Ingedeeld voor de toets van het OM",
        "message.held": "Vastgehouden tot het OM beslist",
        "message.released": "Vrijgegeven voor verzending",
        "message.routed": "Route bepaald",
        "message.admitted": "Vastgelegd",
        "message.made": "Antwoord gemaakt",
        "message.refused": "Geweigerd",
        "message.answered": "Beantwoord",
        "message.duplicate": "Opnieuw ontvangen; niet opnieuw verwerkt",
        "acknowledgment.queued": "Ontvangstbevestiging klaargezet",
        "acknowledgment.answered": "Ontvangstbevestiging als antwoord gegeven",
        "delivery.claimed": "Verzending begonnen",
        "delivery.signed": "Ondertekend",
        "delivery.encrypted": "Versleuteld voor de ontvanger",
        "delivery.sent": "Verzonden; wacht op ontvangstbevestiging",
        "delivery.retry": "Niet gelukt; nieuwe poging gepland",
        "delivery.acknowledged": "Ontvangst bevestigd door de ontvanger",
        "delivery.refused": "Geweigerd door de ontvanger",
        "delivery.dead": "Verzending opgegeven",
        "delivery.unknown": "Onzeker of het is aangekomen; een medewerker beslist",
        "delivery.held_again": "Opnieuw vastgehouden",
        "delivery.released": "Vrijgegeven door het OM",
        "delivery.withheld": "Niet vrijgegeven door het OM",
        "toets.ruled": "Besluit van het OM ontvangen",
        "toets.withdrawn": "Het OM heeft zijn besluit ingetrokken",
        "toets.withdrawn_late": "Het OM trok zijn besluit te laat in",
        "toets.accepted": "De ontvanger aanvaardt de voorwaarden",
        "toets.not_accepted": "De ontvanger aanvaardt de voorwaarden niet",
        "toets.warned": "Wacht al lang op het OM",
        "toets.escalated": "Wacht te lang op het OM",
        "toets.asked": "Aan het OM voorgelegd",
        "toets.closed": "Er is besloten",
        "delivery.resumed": "Een medewerker laat het opnieuw verzenden",
        "delivery.stopped": "Een medewerker heeft de verzending gestaakt",
        "undeliverable.withdrawn": "Alsnog bevestigd; de zender krijgt geen foutbericht",
        "undeliverable.contradicted": "Alsnog bevestigd nadat de zender een foutbericht kreeg",
        "delivery.expired": "Te oud geworden om te bezorgen",
        "postvak.shown": "Getoond aan het ontvangende systeem",
        "postvak.confirmed": "Bevestigd door het ontvangende systeem",
        "postvak.refused": "Geweigerd door het ontvangende systeem",
        "signal.mismatch": "Ontvangstbevestiging past niet bij wat is verzonden",
        "signal.unknown": "Signaal zonder bijbehorende verzending",
        "signal.repeated": "Signaal opnieuw ontvangen",
        "signal.warning": "Waarschuwing van de partner",
        "answer.unreadable": "Antwoord van de partner is niet te lezen",
        "answer.no_route": "Geen overeenkomst voor een antwoord",
        "alarm.raised": "Alarm",
        "alarm.cleared": "Alarm voorbij",
        "alarm.dismissed": "Alarm afgehandeld door een medewerker",
        "directory.changed": "Afspraken of instellingen gewijzigd",
        "input.refused": "Onbewezen invoer geweigerd",
    }
)


def label(event: str) -> str:
    """Return the Dutch name of an event; one that has none keeps its dotted name."""
    return STEPS.get(event, event)
