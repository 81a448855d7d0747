"""Why a mail is in the quarantine, in words: by its code, or by the family of its code."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.ports.incoming import EXPIRED, Ground
from gateway.web.console.language import N_

_OTHER = N_(
    "Er zat een bericht in dat de controle niet doorstond, en de afzender kreeg geen foutbericht. "
    "Vraag hem het goed opnieuw te sturen."
)
WHY: Mapping[str, str] = MappingProxyType(
    {
        "incoming.plain": N_(
            "Dit is een gewone e-mail: niet versleuteld en niet ondertekend. Niemand heeft bewezen "
            "wie hem stuurde. Doe niets alleen omdat het hier staat."
        ),
        "incoming.person": N_(
            "De partner schreef en ondertekende dit. Er zit geen bericht in: het is voor een mens."
        ),
        "incoming.words": N_(
            "De partner schreef dit naast een bericht. Het bericht zelf staat bij Berichten."
        ),
        "incoming.report": N_(
            "Dit is een melding van aflevering of lezen die bij geen brief van deze gateway hoort."
        ),
        "incoming.attachments": N_(
            "Naast het bericht zitten bijlagen. De gateway neemt een bericht alleen zonder bijlagen"
            " op."
        ),
        "incoming.gate": N_(
            "Dit hoort bij de toets van het OM. Zulke berichten gaan nooit per e-mail."
        ),
        "incoming.old": N_(
            "Dit is meer dan een week geleden ondertekend, of er staat niet bij wanneer. Iemand "
            "kan een oude e-mail hebben bewaard: vraag de partner of hij hem nu stuurde."
        ),
        "payload.count": N_("Er zit meer dan één bericht in. De partner stuurt elk apart."),
        "smime.sender": N_("Dit komt van een adres dat geen partner heeft."),
        "smime": N_(
            "Zo verpakt neemt de gateway geen e-mail op. De partner moet zijn e-mail anders maken."
        ),
        "mime": N_(
            "Zo verpakt neemt de gateway geen e-mail op. De partner moet zijn e-mail anders maken."
        ),
        "signature": N_("De handtekening klopt niet, of is niet van deze partner."),
        "certificate": N_("Het certificaat van de handtekening telt niet."),
        "decryption": N_("Dit is niet voor ons versleuteld, of het is onderweg veranderd."),
        "duplicate": N_("Dit kenmerk is al gebruikt voor een bericht met een andere inhoud."),
    }
)
GROUNDS: Mapping[str, str] = MappingProxyType(
    {
        Ground.DONE: N_("afgehandeld: gedaan wat nodig was"),
        Ground.PASSED_ON: N_("doorgegeven aan voor wie het is"),
        Ground.AGAIN: N_("de afzender stuurt het opnieuw, op de goede manier"),
        Ground.RUBBISH: N_("ongewenst: hier hoeft niemand iets mee"),
        EXPIRED: N_("verlopen: de bewaartermijn was voorbij voordat iemand het afsloot"),
    }
)


def why(code: str) -> str:
    """Return it in Dutch."""
    return WHY.get(code) or WHY.get(code.partition(".")[0]) or _OTHER
