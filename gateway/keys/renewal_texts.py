"""Why a certificate, key or list is not put in place: `certs.*`, in Dutch."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.errors import CertificateRejected

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "unreadable": (
            "Het bestand is geen certificaat en geen intrekkingslijst (PEM of DER). Is het "
            "PKCS#12, zet het dan om met openssl pkcs12; vraag het anders opnieuw aan de "
            "uitgever."
        ),
        "kind": "Dit bestand kan niet dienen waarvoor het wordt gegeven. Kijk naar --voor.",
        "several": (
            "Een bestand hoort één certificaat te bevatten (met zijn uitgevers, als het een "
            "eigen certificaat is). Splits het."
        ),
        "several_lists": (
            "In het bestand staan meer intrekkingslijsten (CRL's). Splits het: elke lijst neemt "
            "de plaats in van haar voorganger."
        ),
        "use_unclear": (
            "Het certificaat zegt niet waarvoor het is. Geef --voor tls, api, ondertekening "
            "of versleuteling."
        ),
        "key_missing": (
            "De private sleutel ontbreekt. Geef met --key de sleutel waarmee het is aangevraagd."
        ),
        "key_uploaded": (
            "In het bestand zit een private sleutel, en die hoort niet door een browser te gaan. "
            "Er is niets bewaard. Kan iemand haar gezien hebben, vraag dan een certificaat met "
            "een nieuwe sleutel aan; geef hier alleen het certificaat."
        ),
        "key_elsewhere": (
            "De private sleutel van dit certificaat staat niet op deze machine. Zet haar in de map "
            "met sleutels (mode 0600), of geef beide met gateway certs import --key."
        ),
        "moved": (
            "Intussen is er iets anders gewijzigd. Er is niets geschreven. Kijk opnieuw wat er "
            "verandert."
        ),
        "key_mismatch": (
            "De sleutel hoort niet bij het certificaat. Geef met --key de sleutel waarmee het "
            "is aangevraagd."
        ),
        "key_unreadable": (
            "De sleutel is niet te lezen of heeft een wachtwoord. Zet haar om naar PEM zonder "
            "wachtwoord (openssl pkey) en geef het bestand mode 0600."
        ),
        "key_open": (
            "De sleutel is leesbaar voor anderen. Zet de rechten op 0600 (chmod 600), en "
            "bedenk of iemand haar al gezien kan hebben: dan een nieuwe."
        ),
        "weak_key": (
            "De sleutel is te zwak of van de verkeerde soort. Vraag een certificaat aan met "
            "RSA van minstens 2048 bits (of EC P-256, P-384, P-521, niet voor versleuteling)."
        ),
        "algorithm": (
            "Het certificaat is ondertekend met een te zwak of onbekend algoritme. Vraag er "
            "een aan met SHA-256 of sterker."
        ),
        "not_yet_valid": "Het certificaat is nog niet geldig. Kom terug als het dat is.",
        "expired": "Het certificaat is verlopen. Vraag een nieuw aan.",
        "untrusted": (
            "Er is geen pad naar een vertrouwde anchor. Geef eerst het certificaat van de "
            "uitgever (--voor intermediate), of controleer of dit het goede certificaat is."
        ),
        "usage": (
            "Het certificaat is niet voor dit doel. Vraag er een aan met het sleutelgebruik "
            "van dit doel, of geef met --voor een ander doel."
        ),
        "oin": (
            "Er staat geen OIN in het certificaat. Vraag er een aan met het OIN in "
            "subject.serialNumber (DK-SEC PKI001)."
        ),
        "party": (
            "Het OIN is niet dat van de eigen partij en heeft geen mandaat. Vraag een "
            "certificaat van de eigen organisatie aan, of leg het mandaat vast "
            "(partijen.mandaten)."
        ),
        "party_unknown": (
            "Het certificaat is niet van een partner die hier bekend is. Controleer het OIN, "
            "of voeg de partij toe aan gateway.toml."
        ),
        "revoked": "Het certificaat is ingetrokken. Vraag een nieuw aan.",
        "revocation_unknown": (
            "Van de uitgever is hier geen verse intrekkingslijst. Geef die eerst aan gateway "
            "certs import."
        ),
        "same": "Dit is al in gebruik. Er is niets veranderd.",
        "not_self_signed": (
            "Een anchor is door zichzelf ondertekend; dit certificaat niet. Is het een CA "
            "onder een anchor, geef dan --voor intermediate."
        ),
        "anchor_unconfirmed": (
            "Een anchor beslist wie wordt vertrouwd. Geef met --sha256 de vingerafdruk zoals "
            "de uitgever die bekendmaakt, en neem die niet van dit bestand over."
        ),
        "not_an_authority": "Dit certificaat mag geen certificaten uitgeven. Kijk naar --voor.",
        "crl_kind": (
            "Deze intrekkingslijst kan niet alleen dienen (delta, indirect, zonder volgende "
            "datum, of zwak ondertekend). Haal de volledige lijst op."
        ),
        "crl_issuer": (
            "De lijst is niet ondertekend door een CA die hier bekend is. Haal haar opnieuw "
            "op, of geef eerst het certificaat van de uitgever (--voor intermediate)."
        ),
        "crl_stale": "Deze lijst is al verlopen. Haal de nieuwe op.",
        "crl_older": "Er is hier al een nieuwere lijst van deze uitgever.",
        "no_listener": "Deze installatie heeft deze [listen.…] niet. Kijk naar --voor.",
        "not_written": (
            "Het bestand kan niet worden geschreven. Kijk of de gebruiker van dit commando "
            "eigenaar is van de map en of de schijf vol is."
        ),
    }
)
"""Of `certs.KEY`: what is wrong, and what to do."""


VALID_LATER = "Het certificaat is pas geldig vanaf {at}."


def refuse(code: str, where: str = "") -> CertificateRejected:
    """Return the refusal `certs.CODE` about a file."""
    return CertificateRejected(f"certs.{code}", TEXTS[code], where=where)
