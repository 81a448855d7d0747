"""What is said about an import, in Dutch; the console has the English beside it."""

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        # --- what differs ---
        "subject": "onderwerp",
        "oin": "OIN",
        "issuer": "uitgever",
        "from": "geldig van",
        "until": "geldig tot",
        "key": "sleutel",
        "usage": "sleutelgebruik",
        "names": "namen",
        "sha256": "SHA-256",
        "made": "uitgegeven",
        "next": "volgende lijst",
        "revoked": "aantal ingetrokken",
        # --- to look at ---
        "shared": "Deze bestanden zijn ook van {listeners}: die veranderen mee.",
        "other_host": (
            "Partners bellen volgens de CPA {host}; die naam staat niet in het certificaat."
        ),
        "sooner": "Het nieuwe eindigt niet later dan het oude.",
        "now_revoked": (
            "{name} ({where}) is hierin ingetrokken. Wat daarmee komt of gaat, wordt geweigerd."
        ),
        # --- what it does ---
        "listener": (
            "Nieuwe verbindingen zien meteen het nieuwe certificaat. Verbindingen die open zijn "
            "gaan door."
        ),
        "waits": "Het telt pas met een nieuwe CPA waarin dit certificaat staat.",
        "list": "Nieuw ingetrokken: {n}. Het telt meteen, ook voor open verbindingen.",
        "anchor": "Wie een certificaat onder deze anchor toont, wordt hier voortaan beoordeeld.",
        "intermediate": "Certificaten van deze uitgever kunnen voortaan worden beoordeeld.",
        "partner": (
            "Er wordt niets geschreven: het certificaat van een partner staat in de CPA. Is het "
            "voor ondertekening of versleuteling: vraag om een nieuwe CPA en geef die hier. Is "
            "het voor TLS, dan hoeft hier niets: een partner wordt herkend aan keten en OIN."
        ),
        # --- what a person has yet to do ---
        "make_cpa": "Laat de nieuwe CPA maken, of: gateway cpa make.",
        "place_cpa": "Zet haar bij beide partijen: in de console, of gateway cpa import.",
        "keep_key": "Houd de oude sleutel in keys/ tot de oude CPA's eindigen: {until}.",
        "put_back": "Werkt het niet: zet de bewaarde bestanden terug en geef SIGHUP.",
        "drop_key": "Verwijder de bewaarde sleutel zodra u zeker bent.",
        "below": "Geef de CA's onder dit anchor (intermediate) en hun CRL's.",
        "its_list": "Geef de intrekkingslijst van deze CA (crl).",
        # --- an agreement: what differs ---
        "cpa_id": "CPAId",
        "status": "status",
        "endpoint": "adres",
        "profile": "profiel",
        "retries": "nieuwe pogingen",
        "interval": "tijd ertussen",
        "persist": "bewaard (PersistDuration)",
        "duplicates": "dubbele herkend",
        "ack_signed": "bevestiging ondertekend",
        "sync": "antwoord op dezelfde verbinding",
        "signed": "ondertekend",
        "sign_cert": "certificaat van ondertekening",
        "encrypted": "versleuteld",
        "encrypt_cert": "certificaat van versleuteling",
        "client_cert": "TLS-certificaat van de afzender",
        "server_cert": "TLS-certificaat van de ontvanger",
        "yes": "ja",
        "no": "nee",
        # --- an agreement: to look at ---
        "no_version": (
            "Van de dienst {service} is hier geen versie bekend: haar berichten worden geweigerd "
            "tot zij onder [diensten] staat."
        ),
        "same_id": (
            "Het CPAId {cpa} blijft hetzelfde: ook wat al onderweg is gaat verder zoals het hier "
            "staat. Spreek af dat de partner haar op hetzelfde moment vervangt."
        ),
        "gone": "Wat onderweg is en er niet meer in staat, kan dan niet meer worden verzonden.",
        "not_newer": (
            "De CPA van nu ({cpa}) begint niet eerder dan deze. De laatst begonnen CPA telt: deze "
            "wordt alleen gebruikt voor wat daar niet in staat."
        ),
        # --- an agreement: what it does ---
        "starts": "Zij telt vanaf {at}.",
        "at_once": "Zij telt meteen, voor wat van nu af wordt aangeleverd.",
        "first": "Tussen deze partijen was er nog geen CPA.",
        "old_stays": (
            "De CPA van nu ({cpa}) blijft tot {at}: wat al onderweg is, en wat de partner er nog "
            "onder stuurt, gaat daarmee verder."
        ),
        "old_actions": (
            "Berichten die er niet meer in staan kunnen nog tot {at}, onder {cpa}. Moet dat "
            "eerder stoppen: haal die CPA weg als er niets meer onderweg is."
        ),
    }
)
