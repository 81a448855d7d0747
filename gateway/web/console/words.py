"""What states are called, and in which colour; the word is enough without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.credentials import Scope, UserRole
from gateway.lifecycle import State
from gateway.ports import Standing, VerdictState
from gateway.ports.accounts import SecondFactor
from gateway.ports.reading import STANDING, Answered
from gateway.ports.worklist import Reason
from gateway.rules.approval import Ground
from gateway.web.console.language import N_
from gateway.wire.toets import Uitkomst


@dataclass(frozen=True, slots=True)
class Tag:
    """A word with its role of colour."""

    text: str
    tone: str


_POSITIVE, _WARNING, _NEGATIVE = "positive", "warning", "negative"
_INFO, _CLOSED, _UNKNOWN = "info", "accent-1", "accent-2"

ROLES: Mapping[UserRole, str] = MappingProxyType(
    {
        UserRole.OFFICIER: N_("officier"),
        UserRole.OPERATOR: N_("operator"),
        UserRole.BEHEERDER: N_("beheerder"),
        UserRole.COMPLIANCE: N_("compliance"),
        UserRole.ONTVANGER: N_("ontvanger"),
    }
)
SCOPES: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.HAND_IN: N_("berichten aanleveren"),
        Scope.READ: N_("eigen berichten volgen"),
        Scope.POSTVAK_LOOK: N_("postvak lezen"),
        Scope.POSTVAK_CLOSE: N_("postvak bevestigen en weigeren"),
        Scope.WEBHOOKS: N_("webhooks beheren"),
        Scope.DECIDE_LOOK: N_("verzoeken aan het OM lezen"),
        Scope.DECIDE: N_("besluiten voor het OM"),
    }
)
"""What a system may do here."""
FACTORS: Mapping[SecondFactor, str] = MappingProxyType(
    {
        SecondFactor.TOTP: N_("wachtwoord en app"),
        SecondFactor.RECOVERY: N_("wachtwoord en herstelcode"),
        SecondFactor.PASSKEY: N_("toegangssleutel"),
        SecondFactor.OIDC: N_("inlogvoorziening"),
    }
)
GROUNDS: Mapping[str, str] = MappingProxyType(
    {
        Ground.NOT_GATED.value: N_("toets niet nodig"),
        Ground.STANDING.value: N_("doorlopende toestemming"),
        Ground.INDIVIDUAL.value: N_("besluit van het OM"),
    }
)
"""Why a message may leave the police."""
REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.OTHERWISE: N_("op een andere manier gemeld, zoals per telefoon"),
        Reason.NEW: N_("het systeem leverde zelf een ander bericht aan"),
        Reason.NEEDLESS: N_("hoeft niet meer aan te komen"),
        Reason.TOO_LATE: N_("te laat: het heeft geen zin meer"),
    }
)
"""Why nothing more is done about what was refused."""
OUTCOMES: Mapping[Uitkomst, str] = MappingProxyType(
    {
        Uitkomst.VRIJGEVEN: N_("vrijgeven"),
        Uitkomst.ONDER_VOORWAARDEN: N_("vrijgeven onder voorwaarden"),
        Uitkomst.NIET: N_("niet vrijgeven"),
        Uitkomst.TERUG: N_("terug naar afzender"),
    }
)
_DECIDED: Mapping[str, Tag] = MappingProxyType(
    {
        Uitkomst.VRIJGEVEN.value: Tag(N_("vrijgegeven"), _POSITIVE),
        Uitkomst.ONDER_VOORWAARDEN.value: Tag(N_("vrijgegeven onder voorwaarden"), _POSITIVE),
        Uitkomst.NIET.value: Tag(N_("niet vrijgegeven"), _CLOSED),
        Uitkomst.TERUG.value: Tag(N_("terug naar afzender"), _CLOSED),
    }
)
_VERDICTS: Mapping[VerdictState, Tag] = MappingProxyType(
    {
        VerdictState.PROPOSED: Tag(N_("wacht op tweede beoordelaar"), _INFO),
        VerdictState.GIVEN: Tag(N_("genomen"), _POSITIVE),
        VerdictState.REJECTED: Tag(N_("niet bevestigd"), _CLOSED),
        VerdictState.WITHDRAWN: Tag(N_("ingetrokken"), _CLOSED),
        VerdictState.TOO_LATE: Tag(N_("te laat ingetrokken"), _NEGATIVE),
        VerdictState.NOT_ACCEPTED: Tag(N_("geweigerd door wie het bericht vasthoudt"), _NEGATIVE),
    }
)
_STANDINGS: Mapping[Standing, Tag] = MappingProxyType(
    {
        Standing.UNKNOWN: Tag(N_("onbekend resultaat"), _UNKNOWN),
        Standing.DEAD: Tag(N_("niet bezorgd"), _NEGATIVE),
        Standing.REFUSED: Tag(N_("geweigerd"), _NEGATIVE),
        Standing.WITHHELD: Tag(N_("niet vrijgegeven"), _CLOSED),
        Standing.HELD: Tag(N_("vastgehouden"), _INFO),
        Standing.UNDER_WAY: Tag(N_("onderweg"), _INFO),
        Standing.SENT: Tag(N_("wacht op bevestiging"), _INFO),
        Standing.DELIVERED: Tag(N_("afgeleverd"), _POSITIVE),
        Standing.REPLACED: Tag(N_("omgezet"), _CLOSED),
        Standing.PROCESSED: Tag(N_("verwerkt"), _POSITIVE),
    }
)


def outcome(value: Uitkomst) -> str:
    """Return the word for a decision."""
    return OUTCOMES[value]


OVER = Tag(N_("voorbij"), _CLOSED)
ENDS_SOON = Tag(N_("eindigt binnenkort"), _WARNING)
LAST = Tag(N_("laatst bevestigd"), _POSITIVE)
REVOKED = Tag(N_("ingetrokken"), _CLOSED)
SUCCEEDED = Tag(N_("opgevolgd"), _CLOSED)
"""Words of the OM about what the gate goes by."""
REFUSED_ANSWER = Answered.REFUSED.value
REFUSED_BY_RECEIVER = Tag(N_("geweigerd door de ontvanger"), _NEGATIVE)
"""Beside how its delivery stands: it arrived, and its answer is a Fo01."""


_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "certificate": N_("een certificaat klopt niet"),
        "decision.stopped": N_("een medewerker heeft de verzending gestaakt"),
        "delivery.expired": N_("de levensduur van het bericht is voorbij"),
        "ebms": N_("de partner weigert het bericht"),
        "http": N_("de partner antwoordt met een fout"),
        "mail.bounced": N_("de e-mail kwam terug"),
        "mail.switched": N_("gaat verder per beveiligde e-mail"),
        "payload": N_("de inhoud is er niet meer, of is niet te lezen"),
        "peer.certificate": N_("het certificaat van de partner klopt niet"),
        "peer.timeout": N_("de partner antwoordt niet op tijd"),
        "peer.tls": N_("de partner weigert de verbinding (TLS)"),
        "peer.unreachable": N_("er is geen verbinding met de partner"),
        "smtp": N_("de mailserver neemt de e-mail niet aan"),
        "toets": N_("het OM heeft anders besloten"),
    }
)


def fault(code: str) -> str:
    """Return what happened to a delivery, by its code or the family of it; empty = no word."""
    return _FAULTS.get(code) or _FAULTS.get(code.partition(".")[0], "")


def decided(value: str) -> Tag:
    """Return the tag of a request that is closed with this outcome; it may be none of the OM's."""
    return _DECIDED.get(value, Tag(N_("gesloten"), _CLOSED))


def verdict(state: VerdictState) -> Tag:
    """Return the tag of a decision."""
    return _VERDICTS[state]


def standing(value: Standing) -> Tag:
    """Return the tag of a message."""
    return _STANDINGS[value]


def state(value: State) -> Tag:
    """Return the tag of a delivery."""
    return _STANDINGS[STANDING[value]]
