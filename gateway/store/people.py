"""Accounts, sessions and what belongs to them, as rows. What they mean stands in the pipeline."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.credentials import UserRole
from gateway.ports import AuditEvent
from gateway.ports.accounts import (
    EVERYBODY,
    AccountState,
    AccountsWanted,
    PasskeyView,
    SecondFactor,
    SessionView,
)
from gateway.store.people_units import Add, Apply, Fail, Link, Rights, has_role
from gateway.store.reading import Reads
from gateway.store.tables import (
    accounts,
    console_drafts,
    console_failures,
    console_sessions,
    console_steps,
    passkeys,
)
from gateway.store.transaction import Change
from gateway.store.writer import Writer

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
    party: str = ""
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


_COUNT = (
    sa.select(sa.func.count())
    .select_from(passkeys)
    .where(passkeys.c.account == accounts.c.id)
    .scalar_subquery()
)
_PERSON = sa.select(accounts, _COUNT.label("n_passkeys"))


def _person(row: sa.Row[Any]) -> Person:
    return Person(
        id=row.id,
        login=row.login,
        name=row.name,
        roles=frozenset(UserRole(role) for role in row.roles.split(",") if role),
        officer=row.officer,
        party=row.party,
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
        yield has_role(wanted.role)
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
