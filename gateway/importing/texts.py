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
        "place_cpa": "Zet haar bij beide partijen in agreements/ en geef SIGHUP.",
        "keep_key": "Houd de oude sleutel in keys/ tot de oude CPA's eindigen: {until}.",
        "put_back": "Werkt het niet: zet de bewaarde bestanden terug en geef SIGHUP.",
        "drop_key": "Verwijder de bewaarde sleutel zodra u zeker bent.",
        "below": "Geef de CA's onder dit anchor (intermediate) en hun CRL's.",
        "its_list": "Geef de intrekkingslijst van deze CA (crl).",
    }
)
