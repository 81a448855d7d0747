"""Does a decision of the OM count, here and now? Pure.

A decision is for one hold: for exactly these octets, this recipient, this table, within its
time, once. What does not fit in any of these is no decision.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.catalogue import Role
from gateway.directory import Party
from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.rules.terms import ACUUT, MELDING, NIET_ACUUT, antwoordtermijn
from gateway.wire.toets import Uitkomst

SKEW = timedelta(minutes=5)
"""How far ahead of ours the clock of the OM may be."""
LONGEST = timedelta(days=31)
"""A decision is of use for this long at most, from when it was taken."""

RELEASES = frozenset({Uitkomst.VRIJGEVEN, Uitkomst.ONDER_VOORWAARDEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the OM was asked."""

    hold: str
    decider: Oin
    """The party that was asked."""
    payload_sha256: str
    recipient: Oin
    table_version: str
    open: bool
    """Still held, without a decision."""
    askers: tuple[str, ...]
    """Who handed it in: the system, and its user where the message names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a decision says, and who signed it."""

    hold: str
    signer: Oin
    """Party of the certificate inside the document."""
    sender: Oin
    """Zender of the message."""
    outcome: Uitkomst
    payload_sha256: str
    recipients: tuple[Oin, ...]
    table_version: str
    decided_at: datetime
    valid_until: datetime
    officer: tuple[str, ...]
    """Id and name of who decided."""
    second: tuple[str, ...]
    """Those of who confirmed; none = nobody."""
    conditions: int
    told: str


def judge(said: Said, asked: Asked | None, *, signer: Party | None, at: datetime) -> None:
    """Return when the decision counts; raise PolicyViolation `toets.besluit.*` when it does not."""
    if asked is None or asked.hold != said.hold:
        raise _refused("los", "Er is geen verzoek waarop dit besluit antwoordt.")
    _by_whom(said, asked, signer)
    _on_what(said, asked)
    _when(said, at)
    _form(said, asked)
    if not asked.open:
        raise _refused("gesloten", "Op dit verzoek is al besloten, of het is vervallen.")


def _by_whom(said: Said, asked: Asked, signer: Party | None) -> None:
    if signer is None or signer.role not in {Role.OM, Role.KNOOPPUNT}:
        raise _refused("partij", "Het besluit is niet door het OM ondertekend.")
    if not signer.oin == said.signer == said.sender == asked.decider:
        raise _refused("partij", "Het besluit komt niet van de partij aan wie het gevraagd is.")


def _on_what(said: Said, asked: Asked) -> None:
    if said.payload_sha256 != asked.payload_sha256:
        raise _refused("inhoud", "Het besluit gaat over een andere inhoud.")
    if asked.recipient not in said.recipients:
        raise _refused("ontvanger", "Het besluit geldt niet voor deze ontvanger.")
    if said.table_version != asked.table_version:
        raise _refused("tabel", "Het besluit rust op een andere classificatietabel.")


def _when(said: Said, at: datetime) -> None:
    if said.decided_at > at + SKEW:
        raise _refused("moment", "Het besluit ligt in de toekomst.")
    if said.valid_until <= at:
        raise _refused("verlopen", "Het besluit geldt niet meer.")
    if said.valid_until - said.decided_at > LONGEST:
        raise _refused("duur", "Het besluit geldt langer dan 31 dagen.")


def _form(said: Said, asked: Asked) -> None:
    if said.outcome not in RELEASES and not said.told.strip():
        raise _refused("grond", "Een weigering zonder grond die de afzender mag weten.")
    if (said.outcome is Uitkomst.ONDER_VOORWAARDEN) != bool(said.conditions):
        raise _refused("voorwaarden", "Voorwaarden horen bij vrijgeven onder voorwaarden.")
    asker, first, second = map(_known_as, (asked.askers, said.officer, said.second))
    apart = len(asker | first | second) == len(asker) + len(first) + len(second)
    if not first or not apart:
        raise _refused("vier_ogen", "Wie vraagt, beslist en bevestigt zijn verschillende mensen.")


def _known_as(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _refused(what: str, text: str) -> PolicyViolation:
    return PolicyViolation(f"toets.besluit.{what}", text)


# --- time -----------------------------------------------------------------------------


def hold_deadline(
    kind: str, *, acuut: bool | None, handed_in: datetime, asked: tuple[str, datetime] | None
) -> datetime:
    """Return until when a decision is of use: the clock of the hold, inside that of the sender.

    `asked`: kind and moment of the question that the message answers, whose term runs already
    (3.6.3: 24 hours when acuut, else 72). A message by itself: 24 hours when acuut, 72 for
    reports and answers, 5 days for all others.
    """
    if asked is not None:
        term = antwoordtermijn(asked[0], acuut=acuut)
        if term is not None:
            return term.deadline(asked[1])
    if acuut:
        return handed_in + ACUUT
    return handed_in + (NIET_ACUUT if kind in _REPORTS else MELDING)


_REPORTS = frozenset(
    {"vtMeldingDi01", "zorgmeldingDi01", "meldingGeneriekDi01", "ucobDi01", "uciDi01"}
)


def moments(
    start: datetime, deadline: datetime, fractions: Sequence[float]
) -> tuple[datetime, ...]:
    """Return when to warn, in order. With a deadline in the past all are at the start."""
    span = max(deadline - start, timedelta(0))
    return tuple(start + span * part for part in sorted(fractions))


def passed(moments: Sequence[datetime], now: datetime) -> int:
    """Return how many of the moments have come."""
    return sum(moment <= now for moment in moments)
