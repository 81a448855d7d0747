"""Why an agreement (CPA) is not put in place: `cpas.*`, in Dutch."""

from collections.abc import Mapping
from types import MappingProxyType

CPA_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "stranger": (
            "De eigen partij staat niet in deze CPA. Kijk of dit het bestand voor deze "
            "installatie is."
        ),
        "party_unknown": (
            "De andere partij is hier niet bekend. Zet haar eerst onder [[partijen]] in "
            "gateway.toml."
        ),
        "status": "Deze CPA is nog een voorstel. Laat haar vaststellen (status agreed of signed).",
        "ended": "Deze CPA is al geëindigd. Vraag om een nieuwe.",
        "rules": (
            "Deze CPA kan zo niet worden uitgevoerd, of er staat iets in wat niet mag. Kijk met "
            "gateway cpa lint wat er moet veranderen."
        ),
        "service": (
            "Van geen dienst in deze CPA is hier de versie bekend. Zet de dienst eerst onder "
            "[diensten] in gateway.toml."
        ),
        "same": "Deze CPA staat er al, letter voor letter. Er is niets veranderd.",
        "certificate": (
            "Een certificaat in deze CPA is niet bruikbaar. Vraag om een CPA met een goed "
            "certificaat, of geef eerst het certificaat van zijn uitgever."
        ),
        "certificate_party": (
            "Een certificaat in deze CPA is van een andere organisatie dan de partij die ermee "
            "werkt. Vraag om een goede CPA, of leg het mandaat vast (partijen.mandaten)."
        ),
        "revocation_unknown": (
            "Van de uitgever van een certificaat in deze CPA is hier geen verse intrekkingslijst. "
            "Geef die eerst."
        ),
        "key": (
            "Van een eigen certificaat in deze CPA is hier geen private sleutel. Geef eerst dat "
            "certificaat met zijn sleutel (gateway certs import)."
        ),
        "moved": (
            "Intussen is er iets anders gewijzigd. Er is niets geschreven. Kijk opnieuw wat er "
            "verandert."
        ),
        "not_written": (
            "De CPA kan niet worden geschreven. Kijk of de gebruiker eigenaar is van de map en of "
            "de schijf vol is. Alles is zoals het was."
        ),
    }
)
"""Of `cpas.KEY`: what is wrong, and what to do."""
