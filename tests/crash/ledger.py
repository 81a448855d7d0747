"""What was promised, and whether the three databases and the back-end agree with it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.ports import DeliveryChannel, DeliveryKind, Direction
from gateway.store.audit import verify_chain
from gateway.store.tables import deliveries, evidence, messages, payloads
from tests.crash.boundaries import Role

Connect = Callable[[Role], sa.Connection]
"""A connection that only reads, to the database of a role."""

KIND = "vtMeldingDi01"
OPEN = [
    str(s) for s in State if s not in {State.DELIVERED, State.REFUSED, State.DEAD, State.REPLACED}
]


@dataclass(slots=True)
class Ledger:
    """What the two back-end systems saw, since the data were new."""

    handed: dict[str, str] = field(default_factory=dict)
    """referentienummer → SHA-256, of what was handed in at least once."""
    accepted: dict[str, str] = field(default_factory=dict)
    """referentienummer → id of the message, from a 202 or 200."""
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """referentienummer → ids of the deliveries under which it was shown."""
    confirmed: Counter[str] = field(default_factory=Counter)
    """referentienummer → how many confirmations were not called a repetition."""
    done: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    """referentienummer → set when a confirmation was answered."""
    faults: list[str] = field(default_factory=list)
    """Answers that no back-end should get."""

    def unconfirmed(self) -> set[str]:
        """Accepted at one end, and not yet heard to be confirmed at the other."""
        return {n for n in self.accepted if not self.done[n].is_set()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that should be empty."""

    lost: tuple[str, ...]
    twice: tuple[str, ...]
    not_stored: tuple[str, ...]
    broken: tuple[str, ...]
    """Audit chains."""
    kept: tuple[str, ...]
    """Payloads and keys that should be gone, and those that should not."""

    def all(self) -> tuple[str, ...]:
        return (*self.lost, *self.twice, *self.not_stored, *self.broken, *self.kept)


def failed(what: str) -> Findings:
    """What a round found that could not be played to its end."""
    return Findings(lost=(what,), twice=(), not_stored=(), broken=(), kept=())


def unsettled(ledger: Ledger, connect: Connect) -> str:
    """Say what still has to happen; empty when all work is done."""
    waiting = ledger.handed.keys() - ledger.accepted.keys()
    if waiting:
        return f"{len(waiting)} not yet accepted"
    waiting = ledger.unconfirmed()
    if waiting:
        return f"{len(waiting)} not yet confirmed: {sorted(waiting)[:3]}"
    for role in Role:
        with connect(role) as db:
            left = dict(db.execute(_OPEN).all())
            unanswered = db.execute(_UNANSWERED).scalar_one() if role is Role.P else 0
        if left or unanswered:
            return f"{role}: open {left}, {unanswered} unanswered"
    return ""


_OPEN = (
    sa.select(deliveries.c.state, sa.func.count())
    .where(deliveries.c.kind == str(DeliveryKind.MESSAGE), deliveries.c.state.in_(OPEN))
    .group_by(deliveries.c.state)
)
_UNANSWERED = sa.select(sa.func.count()).where(
    messages.c.kind == KIND,
    messages.c.direction == str(Direction.OUTBOUND),
    messages.c.answer == "",
)


def compare(ledger: Ledger, connect: Connect, kept: Iterable[str] = ()) -> Findings:
    """Read all that is stored; call it when the work is done, or was given up."""
    seen = {}
    for role in Role:
        with connect(role) as db:
            seen[role] = _read(db)
    return Findings(
        lost=tuple(chain(ledger.faults, _lost(ledger, seen))),
        twice=tuple(_twice(ledger, seen)),
        not_stored=tuple(_not_stored(ledger, seen)),
        broken=tuple(f"{r}: {s.broken}" for r, s in seen.items() if s.broken),
        kept=tuple(kept),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one database holds."""

    messages: tuple[sa.Row, ...]
    deliveries: tuple[sa.Row, ...]
    evidence: frozenset[str]
    payloads: frozenset[str]
    broken: str


def _read(db: sa.Connection) -> _Seen:
    found = verify_chain(db)
    return _Seen(
        messages=tuple(db.execute(_MESSAGES)),
        deliveries=tuple(db.execute(_DELIVERIES)),
        evidence=frozenset(db.execute(sa.select(evidence.c.delivery)).scalars()),
        payloads=frozenset(db.execute(_PAYLOADS).scalars()),
        broken=f"{found.code} at {found.writer} {found.n}" if found else "",
    )


_MESSAGES = sa.select(
    messages.c.id,
    messages.c.direction,
    messages.c.kind,
    messages.c.accepted,
    messages.c.cpa_id,
    messages.c.message_id,
    messages.c.referentienummer,
    messages.c.cross_refnummer,
    messages.c.payload_id,
    messages.c.acknowledgment_id,
    messages.c.answer,
)
_DELIVERIES = sa.select(
    deliveries.c.id,
    deliveries.c.state,
    deliveries.c.kind,
    deliveries.c.channel,
    deliveries.c.recipient,
    deliveries.c.cpa_id,
    deliveries.c.ebms_id,
    deliveries.c.last_code,
)
_PAYLOADS = sa.select(payloads.c.id).where(payloads.c.referenced)


def _lost(ledger: Ledger, seen: Mapping[Role, _Seen]) -> Iterator[str]:
    for number in ledger.handed.keys() - ledger.accepted.keys():
        yield f"never accepted: {number}"
    for number in ledger.unconfirmed():
        yield f"accepted, never confirmed: {number}"
    for row in seen[Role.P].messages:
        if row.kind == KIND and row.answer != "Bv01Bericht":
            yield f"politie: answered with {row.answer or 'nothing'}: {row.referentienummer}"
    for role, each in seen.items():
        for row in each.deliveries:
            if row.kind == str(DeliveryKind.MESSAGE) and row.state not in _DONE:
                yield f"{role}: {row.state} ({row.last_code}): {row.ebms_id}"


_DONE = (str(State.DELIVERED), str(State.REPLACED))
"""What was replaced has another delivery, which is asked the same."""


def _twice(ledger: Ledger, seen: Mapping[Role, _Seen]) -> Iterator[str]:
    for number, ids in ledger.shown.items():
        if len(ids) > 1:
            yield f"shown as {len(ids)} deliveries: {number}"
    for number, times in ledger.confirmed.items():
        if times > 1:
            yield f"confirmed {times} times: {number}"
    for role, each in seen.items():
        keys = Counter((m.direction, m.kind, m.referentienummer) for m in each.messages)
        yield from (f"{role}: stored {n} times: {key}" for key, n in keys.items() if n > 1)
        answers = Counter(m.cross_refnummer for m in each.messages if m.kind == "Bv01Bericht")
        yield from (f"{role}: {n} answers to {ref}" for ref, n in answers.items() if n > 1)


def _not_stored(ledger: Ledger, seen: Mapping[Role, _Seen]) -> Iterator[str]:
    at_politie = {m.id: m.referentienummer for m in seen[Role.P].messages}
    for number, id_ in ledger.accepted.items():
        if at_politie.get(id_) != number:
            yield f"politie answered 202, did not store: {number}"
    inbound = {
        (m.cpa_id, m.message_id) for s in seen.values() for m in s.messages if _whole(m, s.payloads)
    }
    for role, each in seen.items():
        for row in each.deliveries:
            if (row.channel, row.kind, row.state) != _ACKNOWLEDGED:
                continue
            if row.id not in each.evidence:
                yield f"{role}: delivered without a signed acknowledgment: {row.ebms_id}"
            if (row.cpa_id, row.ebms_id) not in inbound:
                yield f"{role}: acknowledged by {row.recipient}, not stored: {row.ebms_id}"


_ACKNOWLEDGED = (
    str(DeliveryChannel.EBMS2),
    str(DeliveryKind.MESSAGE),
    str(State.DELIVERED),
)


def _whole(message: sa.Row, stored: frozenset[str]) -> bool:
    """Taken in, with the payload and the acknowledgement that it refers to."""
    needed = {message.payload_id, message.acknowledgment_id} - {None}
    return message.direction == str(Direction.INBOUND) and message.accepted and needed <= stored
