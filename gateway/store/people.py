"""Accounts, sessions and what belongs to them, as rows. What they mean stands in the pipeline."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gateway.credentials import UserRole
from gateway.errors import PolicyViolation
from gateway.ports import AuditEvent
from gateway.ports.accounts import (
    EVERYBODY,
    AccountState,
    AccountsWanted,
    PasskeyView,
    SecondFactor,
    SessionView,
)
from gateway.store.reading import Reads
from gateway.store.tables import (
    accounts,
    console_drafts,
    console_failures,
    console_sessions,
    console_steps,
    passkeys,
)
from gateway.store.transaction import Change, Tx
from gateway.store.writer import Writer

FORGET = timedelta(hours=1)
"""After this long without a failure the earlier ones do not count."""
MOST_SESSIONS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A row of `accounts`, with how many passkeys there are."""

    id: str
    login: str
    name: str
    roles: frozenset[UserRole]
    officer: str
    preferences: Mapping[str, Any]
    password: str
    totp: bytes | None
    totp_step: int
    active: bool
    closed_at: datetime | None
    activation_until: datetime | None
    created_at: datetime
    last_at: datetime | None
    issuer: str = ""
    subject: str = ""
    """Of the person at the provider that `issuer` names; both empty = not linked."""
    passkeys: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A row of `console_sessions`."""

    token: str
    id: str
    account: str
    factor: SecondFactor
    started_at: datetime
    seen_at: datetime
    idle_until: datetime
    ends_at: datetime
    proven_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPasskey:
    """A row of `passkeys`."""

    id: str
    account: str
    credential: bytes
    counter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStep:
    """A row of `console_steps`."""

    id: str
    account: str | None
    kind: str
    data: bytes
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Unit: changes with their audit rows. With `once` the first change must change one row."""

    changes: tuple[Change, ...]
    events: tuple[AuditEvent, ...] = ()
    once: bool = False

    def run(self, tx: Tx) -> bool:
        """Return whether it was done; False = the row was not as it had to be."""
        for n, change in enumerate(self.changes):
            changed = tx.write(change)
            if self.once and n == 0 and changed != 1:
                return False
        tx.record(*self.events)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Unit: a new account."""

    row: Mapping[str, Any]
    event: AuditEvent

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `console.gebruiker.bestaat`."""
        taken = sa.select(accounts.c.id).where(accounts.c.login == self.row["login"])
        if tx.read(taken).first() is not None:
            raise PolicyViolation(
                "console.gebruiker.bestaat", "Er is al een account met deze gebruikersnaam."
            )
        _lock_keepers(tx)
        _check_officer(tx, str(self.row["officer"]), str(self.row["id"]))
        tx.write(sa.insert(accounts).values(dict(self.row)))
        tx.record(self.event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Unit: changes to what an account may, which two at once may not do beside each other."""

    id: str
    officer: str
    changes: tuple[Change, ...]
    event: AuditEvent
    keep_last: bool = True
    """False: the provider takes the role away, and a role that it took is nobody's."""

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `console.gebruiker.laatste`, `console.gebruiker.officier`."""
        _lock_keepers(tx)
        before = tx.read(_KEEPERS).scalar_one()
        _check_officer(tx, self.officer, self.id)
        for change in self.changes:
            tx.write(change)
        if self.keep_last and before and not tx.read(_KEEPERS).scalar_one():
            raise PolicyViolation(
                "console.gebruiker.laatste", "Er moet een beheerder overblijven die kan aanmelden."
            )
        tx.record(self.event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Unit: a person of the provider is this account, and no other one."""

    id: str
    who: tuple[str, str]
    changes: tuple[Change, ...]
    event: AuditEvent

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `console.gebruiker.identiteit`; a closed account lets him go."""
        _lock_keepers(tx)
        issuer, subject = self.who
        theirs = sa.and_(
            accounts.c.issuer == issuer, accounts.c.subject == subject, accounts.c.id != self.id
        )
        gone = sa.and_(theirs, accounts.c.closed_at.is_not(None))
        tx.write(sa.update(accounts).where(gone).values(issuer=None, subject=None))
        if tx.read(sa.select(accounts.c.id).where(theirs)).first() is not None:
            raise PolicyViolation(
                "console.gebruiker.identiteit", "Deze persoon hoort al bij een ander account."
            )
        for change in self.changes:
            tx.write(change)
        tx.record(self.event)


def _lock_keepers(tx: Tx) -> None:
    """Let who changes rights at the same moment wait: there are few accounts."""
    tx.read(sa.select(accounts.c.id).order_by(accounts.c.id).with_for_update())


def _check_officer(tx: Tx, officer: str, id_: str) -> None:
    """One officer is one account: otherwise somebody could be his own second officer."""
    taken = sa.select(accounts.c.id).where(
        accounts.c.officer == officer, accounts.c.closed_at.is_(None), accounts.c.id != id_
    )
    if officer and tx.read(taken).first() is not None:
        raise PolicyViolation(
            "console.gebruiker.officier", "Deze officier heeft al een ander account."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Unit: count a failure, and lock from a bound on."""

    keys: tuple[tuple[str, int], ...]
    """Key, and how many failures lock it."""
    now: datetime
    event: AuditEvent

    def run(self, tx: Tx) -> None:
        """Each lock is twice as long as the one before, up to a bound."""
        tx.write(sa.delete(console_failures).where(console_failures.c.at < self.now - 24 * FORGET))
        for key, bound in self.keys:
            self._count(tx, key, bound)
        tx.record(self.event)

    def _count(self, tx: Tx, key: str, bound: int) -> None:
        f = console_failures.c
        fresh = {"id": key, "failures": 0, "at": self.now, "until": None}
        tx.write(_ONCE[tx.connection.dialect.name], fresh)
        row = tx.read(sa.select(f.failures, f.at).where(f.id == key).with_for_update()).one()
        failures = 1 if row.at < self.now - FORGET else row.failures + 1
        until = self.now + lock_for(failures, bound) if failures >= bound else None
        tx.write(
            sa.update(console_failures)
            .where(f.id == key)
            .values(failures=failures, at=self.now, until=until)
        )


_ONCE: Mapping[str, sa.Insert] = {
    "sqlite": sqlite.insert(console_failures).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(console_failures).on_conflict_do_nothing(),
}
"""Of two that fail at the same moment the second finds the row of the first."""
LONGEST_LOCK = timedelta(minutes=15)


def lock_for(failures: int, bound: int) -> timedelta:
    """Return one minute at the bound, twice as long at each multiple of it, 15 at most."""
    doubled = min(failures // bound - 1, 4)
    minutes: int = 2**doubled
    return min(timedelta(minutes=minutes), LONGEST_LOCK)


_COUNT = (
    sa.select(sa.func.count())
    .select_from(passkeys)
    .where(passkeys.c.account == accounts.c.id)
    .scalar_subquery()
)
_PERSON = sa.select(accounts, _COUNT.label("n_passkeys"))


def _has_role(role: UserRole) -> sa.ColumnElement[bool]:
    listed = sa.literal(",").concat(accounts.c.roles).concat(",")
    return listed.contains(f",{role},")


_KEEPERS = (
    sa.select(sa.func.count())
    .select_from(accounts)
    .where(
        accounts.c.active == sa.true(),
        accounts.c.closed_at.is_(None),
        _has_role(UserRole.BEHEERDER),
    )
)
"""How many administrators can sign in."""


def _person(row: sa.Row[Any]) -> Person:
    return Person(
        id=row.id,
        login=row.login,
        name=row.name,
        roles=frozenset(UserRole(role) for role in row.roles.split(",") if role),
        officer=row.officer,
        preferences=json.loads(row.preferences),
        password=row.password,
        totp=row.totp,
        totp_step=row.totp_step,
        active=row.active,
        closed_at=row.closed_at,
        activation_until=row.activation_until,
        created_at=row.created_at,
        last_at=row.last_at,
        issuer=row.issuer or "",
        subject=row.subject or "",
        passkeys=row.n_passkeys,
    )


def _session(row: sa.Row[Any]) -> OpenSession:
    return OpenSession(
        token=row.token,
        id=row.id,
        account=row.account,
        factor=SecondFactor(row.factor),
        started_at=row.started_at,
        seen_at=row.seen_at,
        idle_until=row.idle_until,
        ends_at=row.ends_at,
        proven_at=row.proven_at,
    )


_STATES: Mapping[AccountState, sa.ColumnElement[bool]] = {
    AccountState.ACTIVE: sa.and_(accounts.c.active, accounts.c.closed_at.is_(None)),
    AccountState.WAITING: sa.and_(sa.not_(accounts.c.active), accounts.c.closed_at.is_(None)),
    AccountState.CLOSED: accounts.c.closed_at.is_not(None),
}


def _conditions(wanted: AccountsWanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.role is not None:
        yield _has_role(wanted.role)
    if wanted.state is not None:
        yield _STATES[wanted.state]
    if wanted.text:
        text = wanted.text.lower()
        yield sa.or_(
            accounts.c.login.contains(text, autoescape=True),
            sa.func.lower(accounts.c.name).contains(text, autoescape=True),
        )


def people_page(
    connection: sa.Connection, wanted: AccountsWanted = EVERYBODY, *, after: str, limit: int
) -> tuple[Person, ...]:
    """Return accounts by login, closed ones too."""
    statement = (
        _PERSON.where(accounts.c.login > after, *_conditions(wanted))
        .order_by(accounts.c.login)
        .limit(limit)
    )
    return tuple(_person(row) for row in connection.execute(statement))


class SqlPeople:
    """The rows."""

    def __init__(self, *, writer: Writer, reads: Reads) -> None:
        """Take what it reads and writes with."""
        self._writer = writer
        self._reads = reads

    async def apply(self, *changes: Change, events: Sequence[AuditEvent] = ()) -> None:
        """Make changes with their audit rows, in one commit."""
        await self._writer.commit(Apply(changes=changes, events=tuple(events)))

    async def once(self, *changes: Change, events: Sequence[AuditEvent] = ()) -> bool:
        """Do the same, if the first one changes exactly one row; return whether it did."""
        return await self._writer.commit(Apply(changes=changes, events=tuple(events), once=True))

    async def add(self, row: Mapping[str, Any], event: AuditEvent) -> None:
        """Add an account; raises PolicyViolation `console.gebruiker.bestaat`."""
        await self._writer.commit(Add(row=row, event=event))

    async def change_rights(
        self,
        id_: str,
        *changes: Change,
        officer: str,
        event: AuditEvent,
        keep_last: bool = True,
    ) -> None:
        """Change what an account may; raises as `Rights`."""
        unit = Rights(id=id_, officer=officer, changes=changes, event=event, keep_last=keep_last)
        await self._writer.commit(unit)

    async def link(
        self, id_: str, *changes: Change, who: tuple[str, str], event: AuditEvent
    ) -> None:
        """Give an account a person (issuer, subject) of the provider; raises as `Link`."""
        await self._writer.commit(Link(id=id_, who=who, changes=changes, event=event))

    async def fail(
        self, keys: Sequence[tuple[str, int]], *, now: datetime, event: AuditEvent
    ) -> None:
        """Count a failure under each key."""
        await self._writer.commit(Fail(keys=tuple(keys), now=now, event=event))

    # --- reading ---

    async def locked(self, keys: Sequence[str], *, now: datetime) -> datetime | None:
        """Return until when one of these is locked; None = none of them."""
        f = console_failures.c
        statement = sa.select(sa.func.max(f.until)).where(f.id.in_(keys), f.until > now)
        found: datetime | None = await self._reads(lambda c: c.execute(statement).scalar())
        return found

    async def locks(self, prefixes: Sequence[str], *, now: datetime) -> Mapping[str, datetime]:
        """Return until when something of these is locked, by the beginning of its key."""
        if not prefixes:
            return {}
        f = console_failures.c
        of = sa.func.substr(f.id, 1, len(prefixes[0]))
        statement = (
            sa.select(of.label("of"), sa.func.max(f.until).label("until"))
            .where(of.in_(prefixes), f.until > now)
            .group_by(of)
        )
        rows = await self._reads(lambda c: c.execute(statement).all())
        return {row.of: row.until for row in rows}

    async def by_login(self, login: str) -> Person | None:
        """Return an account that was not closed."""
        return await self._one(accounts.c.login == login, accounts.c.closed_at.is_(None))

    async def by_id(self, id_: str) -> Person | None:
        """Return an account, closed ones too."""
        return await self._one(accounts.c.id == id_)

    async def by_subject(self, issuer: str, subject: str) -> Person | None:
        """Return whose person at the provider this is; a closed account, too."""
        return await self._one(accounts.c.issuer == issuer, accounts.c.subject == subject)

    async def by_activation(self, digest: str, *, now: datetime) -> Person | None:
        """Return whose activation code this is, as long as it is valid."""
        return await self._one(
            accounts.c.activation == digest,
            accounts.c.activation_until > now,
            accounts.c.closed_at.is_(None),
        )

    async def _one(self, *where: sa.ColumnElement[bool]) -> Person | None:
        row = await self._reads(lambda c: c.execute(_PERSON.where(*where)).first())
        return _person(row) if row is not None else None

    async def page(self, wanted: AccountsWanted, *, after: str, limit: int) -> tuple[Person, ...]:
        """Return accounts by login, closed ones too."""
        return await self._reads(lambda c: people_page(c, wanted, after=after, limit=limit))

    async def session(self, token: str) -> OpenSession | None:
        """Return the session with this digest, whether over or not."""
        statement = sa.select(console_sessions).where(console_sessions.c.token == token)
        row = await self._reads(lambda c: c.execute(statement).first())
        return _session(row) if row is not None else None

    async def session_by_id(self, id_: str) -> OpenSession | None:
        """Return the session with this id."""
        statement = sa.select(console_sessions).where(console_sessions.c.id == id_)
        row = await self._reads(lambda c: c.execute(statement).first())
        return _session(row) if row is not None else None

    async def sessions(self, *, account: str | None, now: datetime) -> tuple[SessionView, ...]:
        """Return what is open, the newest first."""
        s = console_sessions.c
        statement = (
            sa.select(console_sessions, accounts.c.login)
            .join(accounts, accounts.c.id == s.account)
            .where(s.ends_at > now, s.idle_until > now)
            .order_by(s.started_at.desc())
            .limit(MOST_SESSIONS)
        )
        if account is not None:
            statement = statement.where(s.account == account)
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(
            SessionView(
                id=row.id,
                account=row.account,
                login=row.login,
                started_at=row.started_at,
                seen_at=row.seen_at,
                ends_at=row.ends_at,
                address=row.address,
                agent=row.agent,
            )
            for row in rows
        )

    async def step(self, id_: str, *, kind: str, now: datetime) -> StoredStep | None:
        """Return a step that is not over."""
        s = console_steps.c
        statement = sa.select(console_steps).where(s.id == id_, s.kind == kind, s.until > now)
        row = await self._reads(lambda c: c.execute(statement).first())
        if row is None:
            return None
        return StoredStep(
            id=row.id, account=row.account, kind=row.kind, data=row.data, tries=row.tries
        )

    async def passkeys_of(self, account: str) -> tuple[StoredPasskey, ...]:
        """Return the public parts."""
        statement = sa.select(passkeys).where(passkeys.c.account == account)
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(
            StoredPasskey(id=r.id, account=r.account, credential=r.credential, counter=r.counter)
            for r in rows
        )

    async def passkey(self, id_: str) -> StoredPasskey | None:
        """Return one of them."""
        statement = sa.select(passkeys).where(passkeys.c.id == id_)
        row = await self._reads(lambda c: c.execute(statement).first())
        if row is None:
            return None
        return StoredPasskey(
            id=row.id, account=row.account, credential=row.credential, counter=row.counter
        )

    async def passkey_views(self, account: str) -> tuple[PasskeyView, ...]:
        """Return them as people see them, the oldest first."""
        statement = (
            sa.select(passkeys)
            .where(passkeys.c.account == account)
            .order_by(passkeys.c.created_at, passkeys.c.id)
        )
        rows = await self._reads(lambda c: c.execute(statement).all())
        return tuple(
            PasskeyView(id=r.id, name=r.name, created_at=r.created_at, used_at=r.used_at)
            for r in rows
        )

    async def draft(self, id_: str, *, since: datetime) -> bytes | None:
        """Return a draft that is not too old."""
        d = console_drafts.c
        statement = sa.select(d.sealed).where(d.id == id_, d.at >= since)
        found: bytes | None = await self._reads(lambda c: c.execute(statement).scalar())
        return found
