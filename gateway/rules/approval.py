"""The OM gate: may this payload leave? It stands before sealing (domain 9.1).

`Released` is the key to the seal, and only this module makes one. Whatever is not known
holds: an unnamed message, an unsaid onderzoek, an approval that ended, an unknown ground.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.catalogue import MessageKind, Role
from gateway.config_gate import Mode
from gateway.directory import (
    ArticleException,
    Condition,
    Gate,
    GateReason,
    Party,
    StandingApproval,
)
from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.rules.classification import Reason, Verdict

REFUSED_ARTICLES = frozenset({"9", "10"})
"""Wpg data that never leave by this road (SEED 1.4 f, Bpg 4:2 lid 1 i; domain 9.1.4)."""


class Ground(StrEnum):
    """Why a payload may leave."""

    NOT_GATED = "niet-gegate"
    """Not from the police, or to the OM, or of a kind that the table exempts."""
    STANDING = "doorlopend"
    """Under a standing approval of the OM, named by its id."""
    INDIVIDUAL = "individueel"
    """By a decision of the OM on these octets, named by its id."""
    FORWARDED = "doorgestuurd"
    """Passed on by the hub, which is not the police's access point."""
    OWN = "eigen"
    """A Bv01 or Fo01 that the gateway made itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Permission to seal the payload with this hash. Only functions of this module make one."""

    ground: str
    payload_sha256: str
    """Hex, over the octets of the payload: other octets are not released."""
    approval_id: str = ""
    conditions: tuple[Condition, ...] = ()
    """What a standing approval asks of the receiver; it is told with the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision of the OM in force: one delivery, these octets, this recipient, until then."""

    id: str
    delivery: str
    payload_sha256: str
    recipient: Oin
    valid_until: datetime

    def covers(self, *, delivery: str, payload_sha256: str, recipient: str, at: datetime) -> bool:
        """Tell whether it is for exactly this."""
        return (
            self.delivery == delivery
            and self.payload_sha256 == payload_sha256
            and self.recipient == recipient
            and at < self.valid_until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The payload waits for a decision of the OM."""

    kinds: tuple[GateReason, ...]
    """Each kind once, in the order in which it was found."""
    reasons: tuple[Reason, ...]

    @property
    def ground(self) -> str:
        """Return the kinds, as they are stored with the delivery."""
        return ", ".join(self.kinds)

    def told(self) -> tuple[str, ...]:
        """Return what officer and sender are told, in Dutch: the text, and where it stands."""
        return tuple(told(reason) for reason in self.different())

    def different(self) -> tuple[Reason, ...]:
        """Return the reasons, of those that read the same the first."""
        found: dict[str, Reason] = {}
        for reason in self.reasons:
            found.setdefault(told(reason), reason)
        return tuple(found.values())


def told(reason: Reason) -> str:
    """Return what officer and sender are told of one reason, in Dutch."""
    return f"{reason.text} ({reason.path})" if reason.path else reason.text


_Found = tuple[GateReason, Reason]


def own(payload_sha256: str) -> Released:
    """Release an answer that the gateway made itself: it holds no data of the police."""
    return Released(ground=Ground.OWN, payload_sha256=payload_sha256)


def forwarded(payload_sha256: str) -> Released:
    """Release what the hub passes on.

    The gate stands at the sender's access point, before its seal (domain 9.1.2). Never call
    this for a message whose zender is a local party.
    """
    return Released(ground=Ground.FORWARDED, payload_sha256=payload_sha256)


def pass_or_hold(  # noqa: PLR0913 - the facts of one decision, all by name
    verdict: Verdict,
    *,
    sender: Party,
    receiver: Party,
    kind: MessageKind,
    gate: Gate,
    payload_sha256: str,
    at: datetime,
) -> Released | Hold:
    """Decide on a message that is handed in; `receiver` is its ontvanger, not the next hop.

    Raises PolicyViolation `gate.wpg_article` for art. 9 and 10 Wpg data, unless an agreement puts
    them to an officer (domain 9.1.4).
    """
    if not _gated(sender, receiver, gate):
        return Released(ground=Ground.NOT_GATED, payload_sha256=payload_sha256)
    gate = gate.at(at)
    confirmed = gate.confirmation is not None and verdict.table_version == gate.table.version
    if confirmed and verdict.exempt:
        return Released(ground=Ground.NOT_GATED, payload_sha256=payload_sha256)
    excepted = tuple(_articles(verdict, gate, kind.name, receiver.oin, at))
    found = (*excepted, *_grounds(verdict))
    if not confirmed:
        return _hold((_UNCONFIRMED, *found, *_covered(verdict)))
    if found:
        return _hold((*found, *_covered(verdict)))
    approval = _standing(gate, kind.name, receiver.oin, verdict, at)
    if approval is None:
        return _hold((_NO_APPROVAL, *_covered(verdict)))
    return Released(
        ground=Ground.STANDING,
        payload_sha256=payload_sha256,
        approval_id=approval.id,
        conditions=approval.conditions,
    )


def untold(verdict: Verdict) -> Hold:
    """Hold what passes under conditions that the receiver can not be told."""
    return _hold((_UNTOLD, *_covered(verdict)))


def second_gate(
    verdict: Verdict, *, sender: Party, receiver: Party, gate: Gate, payload_sha256: str
) -> Released | Hold:
    """Decide at a knooppunt on what a partner sent that has a gate of its own (domain 9.1.2).

    What the table names for an individual decision, or does not know, waits for one on the same
    octets; the rest was judged by the partner, with what only he knows.
    """
    if not _gated(sender, receiver, gate) or verdict.exempt:
        return forwarded(payload_sha256)
    unnamed = () if verdict.classified else (_UNNAMED,)
    named = tuple(_individual(verdict))
    return _hold((*unnamed, *named)) if unnamed or named else forwarded(payload_sha256)


def still_released(  # noqa: PLR0913 - the facts of one decision, all by name
    *,
    ground: str,
    approval_id: str,
    payload_sha256: str,
    gate: Gate,
    receiver: Oin,
    kind: str,
    at: datetime,
) -> Released | Hold:
    """Make the test again from what was stored, for each attempt to send.

    The Wpg article is not stored: an approval that is narrowed must get a new id.
    """
    released = Released(ground=ground, payload_sha256=payload_sha256, approval_id=approval_id)
    return recheck(released, gate=gate, receiver=receiver, kind=kind, at=at)


def by_decision(
    decision: Decision | None, *, delivery: str, payload_sha256: str, receiver: Oin, at: datetime
) -> Released | Hold:
    """Make the test from the decision that the claim found in force."""
    fits = decision is not None and decision.covers(
        delivery=delivery, payload_sha256=payload_sha256, recipient=receiver, at=at
    )
    if decision is None or not fits:
        return _hold((_NO_DECISION,))
    return Released(
        ground=Ground.INDIVIDUAL, payload_sha256=payload_sha256, approval_id=decision.id
    )


def recheck(
    released: Released, *, gate: Gate, receiver: Oin, kind: str, at: datetime
) -> Released | Hold:
    """Return the release when it still holds by this gate, at this moment; else the hold."""
    if not released.payload_sha256:
        return _hold((_UNKNOWN_GROUND,))
    if released.ground in {Ground.NOT_GATED, Ground.FORWARDED, Ground.OWN}:
        return released
    if released.ground != Ground.STANDING:
        return _hold((_UNKNOWN_GROUND,))
    for approval in gate.at(at).standing:
        if approval.id == released.approval_id and _in_scope(approval, kind, receiver, at):
            return replace(released, conditions=approval.conditions)
    return _hold((_ENDED,))


# --- the parts ------------------------------------------------------------------------


def _reason(kind: GateReason, rule: str, text: str, path: str = "") -> _Found:
    return kind, Reason(rule=rule, path=path, text=text)


_UNCONFIRMED = _reason(
    GateReason.UNCLASSIFIED,
    "gate.bevestiging",
    "Het OM heeft geen classificatietabel bevestigd die nu geldt.",
)
_UNNAMED = _reason(
    GateReason.UNCLASSIFIED,
    "gate.bericht",
    "De classificatietabel noemt dit bericht niet.",
)
_INVESTIGATION = _reason(
    GateReason.INVESTIGATION,
    "gate.onderzoek",
    "Er loopt een strafrechtelijk onderzoek.",
)
_NO_INVESTIGATION_SAID = _reason(
    GateReason.INDIVIDUAL,
    "gate.onderzoek.onbekend",
    "Bij de aanlevering is niet gezegd of er een strafrechtelijk onderzoek loopt.",
)
_NO_ARTICLE_SAID = _reason(
    GateReason.INDIVIDUAL,
    "gate.wpg_artikel.onbekend",
    "Bij de aanlevering is niet gezegd onder welk artikel van de Wpg de gegevens vallen.",
)
_NO_APPROVAL = _reason(
    GateReason.NO_STANDING_APPROVAL,
    "gate.toestemming",
    "Er is geen doorlopende toestemming voor dit bericht aan deze ontvanger.",
)
_UNTOLD = _reason(
    GateReason.NO_STANDING_APPROVAL,
    "gate.toestemming.voorwaarden",
    "De voorwaarden van de doorlopende toestemming zijn de ontvanger niet te melden.",
)
_ENDED = _reason(
    GateReason.NO_STANDING_APPROVAL,
    "gate.toestemming.vervallen",
    "De doorlopende toestemming waaronder dit bericht was vrijgegeven, geldt niet meer.",
)
_NO_DECISION = _reason(
    GateReason.INDIVIDUAL,
    "gate.besluit.vervallen",
    "Er is geen besluit van het OM dat nu voor deze inhoud en ontvanger geldt.",
)
_UNKNOWN_GROUND = _reason(
    GateReason.UNCLASSIFIED,
    "gate.grond",
    "De grond waarop dit bericht was vrijgegeven, is niet bekend.",
)


def _gated(sender: Party, receiver: Party, gate: Gate) -> bool:
    """Police to anyone but the OM (SEED 1.4 f; to the OM: Wpg 16)."""
    return sender.role is Role.POLITIE and not gate.is_om(receiver)


def _articles(
    verdict: Verdict, gate: Gate, message: str, receiver: Oin, at: datetime
) -> Iterator[_Found]:
    """Yield what an exception puts to an officer; raise for the rest of articles 9 and 10."""
    said = (verdict.wpg_artikel or "", *(reason.wpg_artikel for reason in verdict.reasons))
    for article in sorted({_article(text) for text in said} & REFUSED_ARTICLES):
        if not any(_excepts(e, article, message, receiver, at) for e in gate.exceptions):
            raise PolicyViolation(
                "gate.wpg_article",
                "Gegevens onder artikel 9 of 10 van de Wpg mogen niet langs deze weg worden "
                "verstrekt.",
            )
        yield GateReason.INDIVIDUAL, _EXCEPTED[article]


def _excepts(
    exception: ArticleException, article: str, message: str, receiver: Oin, at: datetime
) -> bool:
    return article in exception.wpg_artikelen and _in_scope(exception, message, receiver, at)


_EXCEPTED = {
    article: Reason(
        rule="gate.wpg_artikel.uitzondering",
        path="",
        text=f"De gegevens vallen onder artikel {article} van de Wpg.",
        wpg_artikel=article,
    )
    for article in REFUSED_ARTICLES
}


def _article(text: str) -> str:
    """Return the first number: `art. 10 lid 1` is 10."""
    found = re.search(r"[0-9]+", text)
    return str(int(found.group())) if found else ""


def _grounds(verdict: Verdict) -> Iterator[_Found]:
    """Yield every ground for an individual decision (domain 9.1.3 b, 9.3)."""
    if not verdict.classified:
        yield _UNNAMED
    if verdict.onderzoek:
        yield _INVESTIGATION
    yield from _individual(verdict)
    if verdict.onderzoek is None:
        yield _NO_INVESTIGATION_SAID
    if verdict.wpg_artikel is None:
        yield _NO_ARTICLE_SAID


def _individual(verdict: Verdict) -> Iterator[_Found]:
    for reason in verdict.reasons:
        if reason.mode is not Mode.STANDING:
            yield GateReason.UNCLEAR if reason.unclear else GateReason.INDIVIDUAL, reason


def _covered(verdict: Verdict) -> Iterator[_Found]:
    """Yield what a standing approval could cover, for the officer who decides without one."""
    for reason in verdict.reasons:
        if reason.mode is Mode.STANDING:
            yield GateReason.NO_STANDING_APPROVAL, reason


def _hold(found: tuple[_Found, ...]) -> Hold:
    return Hold(
        kinds=tuple(dict.fromkeys(kind for kind, _ in found)),
        reasons=tuple(reason for _, reason in found),
    )


def _standing(
    gate: Gate, message: str, receiver: Oin, verdict: Verdict, at: datetime
) -> StandingApproval | None:
    """Return the approval that lasts longest of those that cover all of this message."""
    articles = {verdict.wpg_artikel or ""} | {r.wpg_artikel for r in verdict.reasons} - {""}
    categories = {reason.category for reason in verdict.reasons}
    covering = (
        a
        for a in gate.standing
        if articles <= a.wpg_artikelen
        and categories <= a.categories
        and _in_scope(a, message, receiver, at)
    )
    return max(covering, key=lambda a: (a.valid_until, a.id), default=None)


def _in_scope(
    given: StandingApproval | ArticleException, message: str, receiver: Oin, at: datetime
) -> bool:
    return (
        message in given.messages
        and receiver in given.receivers
        and given.valid_from <= at < given.valid_until
    )
