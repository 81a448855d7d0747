"""What a person reads above a letter: which message it is, and why it comes by e-mail."""

from collections.abc import Mapping
from types import MappingProxyType

_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "meldingGeneriekDi01": "Generieke melding van de politie",
        "notificatieDi01": "Bericht van de Raad voor de Kinderbescherming over een onderzoek",
        "opsporingsbelangBesluitDi01": "Besluit van het OM op een verzoek",
        "opsporingsbelangIntrekkingDi01": "Intrekking van een besluit, toestemming of verzoek",
        "opsporingsbelangVerzoekDi01": "Verzoek aan het OM om te toetsen op opsporingsbelang",
        "uciDi01": "Antwoord op een verzoek om informatie over een casus",
        "ucobDi01": "Antwoord op de vraag of iemand bekend is",
        "uitkomstMeldingGeneriekDi01": "Uitkomst van een generieke melding",
        "vciDi01": "Verzoek om informatie over een casus",
        "vcobDi01": "Vraag of iemand bekend is",
        "verstrekkingsvoorwaardenDi01": "Voorwaarden waaronder een bericht is verstrekt",
        "vtMeldingDi01": "Melding aan Veilig Thuis",
        "vtTerugkoppelingDi01": "Terugkoppeling van Veilig Thuis aan de melder",
        "vtoDi01": "Verzoek aan de Raad voor de Kinderbescherming om onderzoek",
        "zorgmeldingDi01": "Zorgmelding van de politie",
        "zorgmeldingTerugkoppelingDi01": "Terugkoppeling op een zorgmelding",
    }
)
_NORMAL = "Dit bericht komt per beveiligde e-mail: er is geen andere digitale weg voor afgesproken."
_SPOED = (
    "Dit bericht komt per beveiligde e-mail wegens onverwijlde spoed: langs de afgesproken weg "
    "lukt het niet, of niet op tijd."
)

_CONFIRM = (
    "Bevestig dat u dit bericht hebt ontvangen: open het adres hieronder en druk op de knop. "
    "Aanmelden hoeft niet, en het adres geldt één keer."
)


def title_of(kind: str) -> str:
    """Return the name of a message in words, with the name that the systems have for it.

    One that only a schema pack has is called by the latter.
    """
    words = _TITLES.get(kind)
    return kind if words is None else f"{words} ({kind})"


def why_by_mail(ground: str) -> tuple[str, ...]:
    """Return why it comes by e-mail: on this ground, or, when empty, because that is its route."""
    words = " ".join(ground.split())
    return (_SPOED, f"Grond: {words}") if words else (_NORMAL,)


def confirm_at(url: str) -> tuple[str, ...]:
    """Return what asks a person to confirm that it came, at this address."""
    return (_CONFIRM, url)
