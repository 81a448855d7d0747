"""How much the OM gate holds, by message: a table that holds everything is seen (domain 9.1.3)."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import DeliveryKind
from gateway.rules.approval import Ground
from gateway.store.holding import read_reasons
from gateway.store.tables import deliveries, holds, messages
from gateway.wire.stuf import ANSWERS
from gateway.wire.toets import KINDS

_FIRST = sa.and_(holds.c.delivery == deliveries.c.id, holds.c.id == deliveries.c.id + "-0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What became of the messages of one kind."""

    kind: str
    sent: int
    """Handed in, or come in at a knooppunt."""
    held: int
    """Of which were held at once."""
    waiting: int
    """Of which wait now."""
    released: int
    withheld: int
    rules: tuple[tuple[str, int], ...]
    """Lines of the table that held it, and how often; the first ten."""

    @property
    def share(self) -> float:
        """The part that is held, 0 to 1."""
        return self.held / self.sent


def hold_rates(
    connection: sa.Connection, police: Collection[Oin], since: datetime
) -> tuple[Rate, ...]:
    """Return one line per kind of message of these parties, by name. Reads all since then."""
    chosen = (
        messages.c.zender.in_(police),
        messages.c.at >= since,
        messages.c.kind.not_in(ANSWERS | KINDS),
        deliveries.c.kind == str(DeliveryKind.MESSAGE),
    )
    joined = messages.join(deliveries, deliveries.c.message == messages.c.id)
    counted = connection.execute(
        sa.select(
            messages.c.kind,
            sa.func.count().label("sent"),
            sa.func.count(holds.c.id).label("held"),
            _sum(deliveries.c.state == str(State.HELD)).label("waiting"),
            _sum(deliveries.c.ground == str(Ground.INDIVIDUAL), holds.c.outcome != "").label(
                "released"
            ),
            _sum(deliveries.c.state == str(State.WITHHELD)).label("withheld"),
        )
        .select_from(joined.outerjoin(holds, _FIRST))
        .where(*chosen)
        .group_by(messages.c.kind)
        .order_by(messages.c.kind)
    ).all()
    rules = _rules(connection, joined, chosen)
    return tuple(
        Rate(
            kind=row.kind,
            sent=row.sent,
            held=row.held,
            waiting=row.waiting,
            released=row.released,
            withheld=row.withheld,
            rules=tuple(rules.get(row.kind, Counter()).most_common(10)),
        )
        for row in counted
    )


def _sum(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))


def _rules(
    connection: sa.Connection, joined: sa.Join, chosen: tuple[sa.ColumnElement[bool], ...]
) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    rows = connection.execute(
        sa.select(messages.c.kind, holds.c.reasons, sa.func.count().label("n"))
        .select_from(joined.join(holds, _FIRST))
        .where(*chosen)
        .group_by(messages.c.kind, holds.c.reasons)
    )
    for row in rows:
        for rule in {reason.rule for reason in read_reasons(row.reasons)}:
            found.setdefault(row.kind, Counter())[rule] += row.n
    return found
