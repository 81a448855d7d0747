"""What is owed to webhooks, and how each of them does: the port `Webhooks`.

The row of a webhook is locked by whoever claims for it or settles, so that the processes of
an installation keep one cap and one count of failures.

A name in the settings may pass to somebody else. What was written down for the one before is
not told to the next, and not counted with it: it waits for its owner until it is too old.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gateway.config import WebhookEvent
from gateway.directory import Subscriber
from gateway.ports import (
    Alarm,
    AuditEvent,
    Clock,
    Dice,
    Notice,
    WebhookResult,
    WebhookState,
)
from gateway.rules.webhooks import Disable, Failure, Record, after_failure, is_down
from gateway.store.alarms import clear_alarm, raise_alarm
from gateway.store.bell import WEBHOOKS
from gateway.store.clock import db_now
from gateway.store.reading import Reads
from gateway.store.tables import Span, webhook_events, webhooks
from gateway.store.transaction import Tx
from gateway.store.writer import Writer

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Moment of a webhook that is not held up."""
DISABLED = "webhook.disabled"
"""Code of alarm and audit row."""

_EVENT, _HOOK = webhook_events.c, webhooks.c
_FREE = sa.or_(_EVENT.leased_until.is_(None), _EVENT.leased_until <= db_now())
_NEW = {
    "next_at": ALWAYS,
    "failures": 0,
    "failing_since": None,
    "disabled_at": None,
    "disabled_why": "",
    "success_at": None,
    "failure_at": None,
    "failure_code": "",
    "sent": 0,
    "failed": 0,
    "dropped": 0,
}
_INSERT: dict[str, Any] = {
    "sqlite": sqlite.insert(webhooks).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(webhooks).on_conflict_do_nothing(),
}


def _owed(to: Subscriber) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what makes an event one of this webhook, of this back-end, as it is now.

    Of an event from before owners were written down the party is known, and the applicatie.
    """
    return (
        _EVENT.webhook == to.name,
        _EVENT.party == to.party,
        sa.or_(_EVENT.backend == to.backend, _EVENT.backend.is_(None)),
        _EVENT.applicatie.in_(sorted(to.applicaties)),
    )


def _due(to: Subscriber, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return *_owed(to), _EVENT.next_at <= now, _FREE


def _is_of(hook: sa.Row[Any], backend: str, party: str) -> bool:
    """Tell whose the row is; one from before owners were written down is of whoever asks."""
    return hook.backend is None or (hook.backend, hook.party) == (backend, party)


def _row(tx: Tx, name: str) -> sa.Row[Any] | None:
    """Return the locked row, whosever it is; another process is waited for."""
    mine = sa.select(webhooks).where(_HOOK.name == name)
    return tx.read(mine.with_for_update(key_share=True)).first()


def _made(tx: Tx, name: str, *, backend: str | None, party: str | None) -> sa.Row[Any]:
    """Return the locked row, whosever it is, made for this owner where there is none."""
    found = _row(tx, name)
    if found is None:
        _make(tx, name, backend=backend, party=party)
        found = _row(tx, name)
    if found is None:
        raise LookupError(name)
    return found


def _free_row(tx: Tx, name: str) -> sa.Row[Any] | None:
    """Return the locked row; None when another process has it, or is making it."""
    mine = sa.select(webhooks).where(_HOOK.name == name)
    return tx.read(mine.with_for_update(skip_locked=True, key_share=True)).first()


def _make(tx: Tx, name: str, *, backend: str | None, party: str | None) -> None:
    """Insert the row, where there is none."""
    new = _INSERT[tx.connection.dialect.name].values(name=name, backend=backend, party=party)
    tx.write(new.values(**_NEW))


def _taken_over(tx: Tx, hook: sa.Row[Any], to: Subscriber, now: datetime) -> sa.Row[Any]:
    """Return the row as one of this owner: of another one nothing stays."""
    if (hook.backend, hook.party) == (to.backend, to.party):
        return hook
    anew: dict[str, Any] = {} if hook.backend is None else _NEW
    _change(tx, to.name, backend=to.backend, party=to.party, **anew)
    if anew:
        clear_alarm(tx, DISABLED, to.name, now)
    return tx.read(sa.select(webhooks).where(_HOOK.name == to.name)).one()


def _change(tx: Tx, name: str, **values: Any) -> None:
    tx.write(sa.update(webhooks).where(_HOOK.name == name).values(**values))


# --- claiming -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEvents:
    """Unit: claim what is due, of each webhook as many as it has room for."""

    owed: tuple[Subscriber, ...]
    cap: int
    lease: timedelta
    now: datetime

    def run(self, tx: Tx) -> tuple[Notice, ...]:
        """Return what is claimed; fresh events before those that failed."""
        return tuple(notice for one in self.owed for notice in self._of(tx, one))

    def _of(self, tx: Tx, to: Subscriber) -> list[Notice]:
        _make(tx, to.name, backend=to.backend, party=to.party)
        hook = _free_row(tx, to.name)
        if hook is None:
            return []
        hook = _taken_over(tx, hook, to, self.now)
        if hook.disabled_at is not None or hook.next_at > self.now:
            return []
        busy = sa.select(sa.func.count()).where(
            _EVENT.webhook == to.name, _EVENT.leased_until > db_now()
        )
        room = (1 if is_down(hook.failures) else self.cap) - int(tx.read(busy).scalar_one())
        if room < 1:
            return []
        due = sa.select(webhook_events).where(*_due(to, self.now))
        rows = tx.read(due.order_by(_EVENT.attempt, _EVENT.seq).limit(room)).all()
        return [notice for row in rows if (notice := self._claim(tx, row, to)) is not None]

    def _claim(self, tx: Tx, row: sa.Row[Any], to: Subscriber) -> Notice | None:
        mine = sa.update(webhook_events).where(_EVENT.seq == row.seq, _EVENT.fence == row.fence)
        lease = sa.bindparam("b_lease", self.lease, type_=Span)
        taken = tx.write(mine.values(fence=row.fence + 1, leased_until=db_now() + lease))
        return _notice(row, to) if taken == 1 else None


def _notice(row: sa.Row[Any], to: Subscriber) -> Notice:
    return Notice(
        webhook=to.name,
        backend=to.backend,
        party=to.party,
        seq=row.seq,
        fence=row.fence + 1,
        attempt=row.attempt + 1,
        at=row.at,
        event=WebhookEvent(row.event),
        delivery=row.delivery,
        message=row.message,
        soort=row.soort,
        applicatie=row.applicatie,
        status=row.status,
        answer=row.answer,
    )


def _any_due(
    connection: sa.Connection, to: Collection[Subscriber], now: datetime
) -> tuple[Subscriber, ...]:
    """Return the webhooks with something to do now: most looks find none, and need no commit."""
    found = []
    for one in to:
        event = sa.select(_EVENT.seq).where(*_due(one, now)).limit(1)
        held = sa.select(_HOOK.name).where(
            _HOOK.name == one.name,
            *_hook_of(one),
            sa.or_(_HOOK.disabled_at.is_not(None), _HOOK.next_at > now),
        )
        if connection.execute(held).first() is None and connection.execute(event).first():
            found.append(one)
    return tuple(found)


def _hook_of(to: Subscriber) -> tuple[sa.ColumnElement[bool], ...]:
    """Say in SQL what `_is_of` does."""
    mine = sa.and_(_HOOK.backend == to.backend, _HOOK.party == to.party)
    return (sa.or_(_HOOK.backend.is_(None), mine),)


# --- settling -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleEvent:
    """Unit: what came of an attempt."""

    notice: Notice
    failure: Failure | None
    disable_after: timedelta
    now: datetime
    dice: float

    def run(self, tx: Tx) -> bool:
        """Return whether this disabled the webhook."""
        mine = {"backend": self.notice.backend, "party": self.notice.party}
        made = _made(tx, self.notice.webhook, **mine)
        # Its name may have passed to another meanwhile.
        hook = made if _is_of(made, **mine) else None
        if self.failure is None:
            tx.write(sa.delete(webhook_events).where(_EVENT.seq == self.notice.seq))
            if hook is not None:
                _succeeded(tx, hook, self.now, sent=hook.sent + 1)
            return False
        return self._failed(tx, hook, self.failure)

    def _failed(self, tx: Tx, hook: sa.Row[Any] | None, failure: Failure) -> bool:
        record = Record()
        if hook is not None:
            record = Record(failures=hook.failures, failing_since=hook.failing_since)
        plan = after_failure(
            failure,
            attempt=self.notice.attempt,
            record=record,
            now=self.now,
            dice=self.dice,
            disable_after=self.disable_after,
        )
        mine = sa.update(webhook_events).where(
            _EVENT.seq == self.notice.seq, _EVENT.fence == self.notice.fence
        )
        put_off = mine.values(attempt=self.notice.attempt, next_at=plan.event_at, leased_until=None)
        if tx.write(put_off) != 1 or hook is None:
            return False  # another worker has it: what this one saw no longer counts
        values: dict[str, Any] = {
            "failures": plan.record.failures,
            "failing_since": plan.record.failing_since,
            "failure_at": self.now,
            "failure_code": failure.code,
            "failed": hook.failed + 1,
        }
        if plan.endpoint_at is not None:
            values["next_at"] = max(plan.endpoint_at, hook.next_at)
        _change(tx, hook.name, **values)
        return hook.disabled_at is None and self._disable(tx, plan.disable)

    def _disable(self, tx: Tx, why: Disable | None) -> bool:
        if why is None:
            return False
        name = self.notice.webhook
        _change(tx, name, disabled_at=self.now, disabled_why=str(why))
        alarm = Alarm(code=DISABLED, subject=name, party=self.notice.party, reason=str(why))
        raise_alarm(tx, alarm, self.now)
        tx.record(
            AuditEvent(
                event=DISABLED,
                at=self.now,
                code=str(why),
                party=self.notice.party,
                data={"webhook": name},
            )
        )
        return True


def _succeeded(tx: Tx, hook: sa.Row[Any], now: datetime, **more: Any) -> None:
    """It answers: what waited because it was down is due at once."""
    _change(tx, hook.name, next_at=ALWAYS, failures=0, failing_since=None, success_at=now, **more)
    if is_down(hook.failures):
        _all_due(tx, hook.name, now)


def _all_due(tx: Tx, name: str, now: datetime) -> None:
    late = sa.update(webhook_events).where(_EVENT.webhook == name, _EVENT.next_at > now)
    tx.write(late.values(next_at=now))
    tx.ring(WEBHOOKS)


@dataclass(frozen=True, slots=True)
class ReleaseEvents:
    """Unit: give claims back, of which nobody knows what came."""

    notices: tuple[Notice, ...]

    def run(self, tx: Tx) -> None:
        """End their leases."""
        for one in self.notices:
            mine = sa.update(webhook_events).where(_EVENT.seq == one.seq, _EVENT.fence == one.fence)
            tx.write(mine.values(leased_until=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTest:
    """Unit: what came of a test."""

    to: Subscriber
    result: WebhookResult

    def run(self, tx: Tx) -> None:
        """A success counts as one of an event; a failure is only shown."""
        failure, at = self.result.failure, self.result.at
        hook = _made(tx, self.to.name, backend=self.to.backend, party=self.to.party)
        hook = _taken_over(tx, hook, self.to, at)
        if failure is None:
            _succeeded(tx, hook, at)
        else:
            _change(tx, hook.name, failure_at=at, failure_code=failure.code)


# --- people ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable:
    """Unit: switch on again."""

    name: str
    who: str
    why: str
    now: datetime

    def run(self, tx: Tx) -> bool:
        """Return False when it was not disabled."""
        hook = _row(tx, self.name)
        if hook is None or hook.disabled_at is None:
            return False
        _change(
            tx,
            self.name,
            disabled_at=None,
            disabled_why="",
            next_at=ALWAYS,
            failures=0,
            failing_since=None,
        )
        _all_due(tx, self.name, self.now)
        clear_alarm(tx, DISABLED, self.name, self.now)
        data = {"webhook": self.name, "reason": self.why}
        event = AuditEvent(event="webhook.enabled", at=self.now, actor=self.who, data=data)
        tx.record(event)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Unit: forget what is too old; the list API still tells it."""

    before: datetime

    def run(self, tx: Tx) -> dict[str, int]:
        """Return how many events of which webhook."""
        dropped: Counter[str] = Counter()
        for row in tx.read(_old(self.before)).all():
            hook = _made(tx, row.webhook, backend=row.backend, party=row.party)
            old = sa.delete(webhook_events).where(
                _EVENT.webhook == row.webhook,
                _EVENT.backend.is_not_distinct_from(row.backend),
                _EVENT.party.is_not_distinct_from(row.party),
                _EVENT.at < self.before,
            )
            n = tx.write(old)
            dropped[row.webhook] += n
            if _is_of(hook, row.backend or hook.backend, row.party):
                _change(tx, row.webhook, dropped=hook.dropped + n)
        return dict(dropped)


def _old(before: datetime) -> sa.Select[Any]:
    owners = _EVENT.webhook, _EVENT.backend, _EVENT.party
    return sa.select(*owners).where(_EVENT.at < before).distinct().order_by(*owners)


def states(connection: sa.Connection, to: Collection[Subscriber]) -> dict[str, WebhookState]:
    """Return how these do, by name; one that was never called has an empty state."""
    return {one.name: _state_of(connection, one) for one in to}


def _state_of(connection: sa.Connection, to: Subscriber) -> WebhookState:
    owed = sa.select(sa.func.count()).select_from(webhook_events).where(*_owed(to))
    waiting = int(connection.execute(owed).scalar_one())
    mine = sa.select(webhooks).where(_HOOK.name == to.name, *_hook_of(to))
    row = connection.execute(mine).first()
    return WebhookState(waiting=waiting) if row is None else _state(row, waiting)


def _state(row: sa.Row[Any], waiting: int) -> WebhookState:
    return WebhookState(
        disabled_at=row.disabled_at,
        disabled_why=row.disabled_why,
        failing_since=row.failing_since,
        next_at=None if row.next_at == ALWAYS else row.next_at,
        success_at=row.success_at,
        failure_at=row.failure_at,
        failure_code=row.failure_code,
        waiting=waiting,
        sent=row.sent,
        failed=row.failed,
        dropped=row.dropped,
    )


class SqlWebhooks:
    """The port `Webhooks`."""

    def __init__(self, *, writer: Writer, reads: Reads, clock: Clock, dice: Dice) -> None:
        """Take what it writes and reads with."""
        self._writer = writer
        self._reads = reads
        self._clock = clock
        self._dice = dice

    async def claim(
        self, to: Sequence[Subscriber], *, cap: int, lease: timedelta
    ) -> tuple[Notice, ...]:
        """Claim what is due; looks before it writes."""
        now = self._clock.now()
        due = await self._reads(lambda c: _any_due(c, to, now))
        if not due:
            return ()
        return await self._writer.commit(ClaimEvents(owed=due, cap=cap, lease=lease, now=now))

    async def waiting(self, to: Sequence[Subscriber]) -> bool:
        """Tell whether anything is owed to these."""
        owed = [sa.select(_EVENT.seq).where(*_owed(one)).limit(1) for one in to]
        return await self._reads(lambda c: any(c.execute(one).first() for one in owed))

    async def settle(
        self, notice: Notice, failure: Failure | None, *, disable_after: timedelta
    ) -> bool:
        """Write what came of an attempt; see the port."""
        unit = SettleEvent(
            notice=notice,
            failure=failure,
            disable_after=disable_after,
            now=self._clock.now(),
            dice=self._dice.unit(),
        )
        return await self._writer.commit(unit)

    async def release(self, notices: Sequence[Notice]) -> None:
        """Give claims back."""
        if notices:
            await self._writer.commit(ReleaseEvents(tuple(notices)))

    async def note(self, to: Subscriber, result: WebhookResult) -> None:
        """Write what came of a test."""
        await self._writer.commit(NoteTest(to=to, result=result))

    async def enable(self, name: str, *, who: str, why: str) -> bool:
        """Switch on again; False when it was not disabled."""
        unit = Enable(name=name, who=who, why=why, now=self._clock.now())
        return await self._writer.commit(unit)

    async def states(self, to: Collection[Subscriber]) -> Mapping[str, WebhookState]:
        """Return how these do, by name."""
        return await self._reads(lambda c: states(c, to))

    async def drop(self, *, before: datetime) -> Mapping[str, int]:
        """Drop what is too old; looks before it writes."""
        if await self._reads(lambda c: c.execute(_old(before).limit(1)).first()) is None:
            return {}
        return await self._writer.commit(Drop(before=before))
