"""From rows to accounts and sessions as the console knows them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

from gateway.credentials import UserRole
from gateway.ports import AuditEvent, Clock, Dice
from gateway.ports.accounts import (
    Account,
    AccountState,
    Enrolment,
    Language,
    Preferences,
    Session,
    Theme,
)
from gateway.security import totp
from gateway.store import people_changes as changes
from gateway.store.people import OpenSession, Person, SqlPeople, StoredStep


class Key(Protocol):
    """The key of the console."""

    def mark(self, purpose: str, text: str) -> str: ...
    def seal(self, what: str, octets: bytes) -> bytes: ...
    def open(self, what: str, sealed: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings of the console say."""

    origin: str
    """As browsers know it."""
    issuer: str
    """Name of the installation, in apps."""
    idle: timedelta = timedelta(minutes=15)
    session: timedelta = timedelta(hours=8)
    provider: str = ""
    """Issuer of the OpenID provider; empty = there is none."""
    own: bool = True
    """Accounts without a link to it come in with a password and a second factor of their own."""
    portal: bool = False
    """Persons of partners come in here, and nobody else; at the console the other way round."""

    def lets_in(self, *, elsewhere: bool) -> bool:
        """Tell whether sessions of this way of signing in count."""
        return bool(self.provider) if elsewhere else self.own

    def are_for(self, roles: frozenset[UserRole]) -> bool:
        """Tell whether accounts with these roles come in here at all."""
        return (UserRole.ONTVANGER in roles) is self.portal


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """An account to be: nothing proves yet who uses it."""

    login: str
    name: str
    roles: str
    officer: str
    party: str = ""
    activation: str | None = None
    """Digest of the code that it is activated with; None = it has none."""
    activation_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every part of this works with."""

    people: SqlPeople
    key: Key
    clock: Clock
    dice: Dice
    rules: Rules

    def digest(self, purpose: str, text: str) -> str:
        """Return what is stored of a token or code."""
        return self.key.mark(purpose, text)[:43]

    def failures_of(self, login: str, *, portal: bool) -> str:
        """Return how the keys of this login's failures begin, at the portal or at the console.

        Strangers reach the portal: what they try there locks nobody out of the console.
        """
        return self.digest("slot-portaal" if portal else "slot", login)[:LOGIN_KEY]

    def event(self, name: str, *, actor: str, **facts: str) -> AuditEvent:
        """Return an audit row of the console."""
        return AuditEvent(
            event=f"console.{name}", at=self.clock.now(), actor=actor, data=dict(facts)
        )

    async def add_account(self, one: Newcomer, *, by: str) -> str:
        """Add an account, with its audit row; return its id. Raises as `SqlPeople.add`."""
        id_ = self.dice.uuid()
        row = {
            **asdict(one),
            "id": id_,
            "preferences": "{}",
            "password": "",
            "totp": None,
            "totp_step": 0,
            "active": False,
            "closed_at": None,
            "created_at": self.clock.now(),
            "last_at": None,
        }
        event = self.event(
            "user_added",
            actor=by,
            account=one.login,
            roles=one.roles,
            officer=one.officer,
            **party_fact(one.party),
        )
        await self.people.add(row, event)
        return id_

    async def keep_step(
        self, kind: str, id_: str, data: bytes, *, account: str | None, lasts: timedelta
    ) -> None:
        """Keep what was begun, sealed, in the place of what stood under this id."""
        row = {
            "id": id_,
            "account": account,
            "kind": kind,
            "data": self.key.seal(f"{kind} {id_}", data),
            "tries": 0,
            "until": self.clock.now() + lasts,
        }
        await self.people.apply(*changes.new_step(row))

    async def step(self, kind: str, id_: str) -> StoredStep | None:
        """Return what was begun, unless it is over."""
        return await self.people.step(id_, kind=kind, now=self.clock.now())

    def opened(self, step: StoredStep) -> bytes:
        """Return what was kept with it."""
        return self.key.open(f"{step.kind} {step.id}", step.data)


TOKEN_OCTETS = 32
LOGIN_KEY = 21
"""Characters of a digest: 126 bits."""


def token(dice: Dice) -> str:
    """Return a fresh secret of 256 bits."""
    return dice.octets(TOKEN_OCTETS).hex()


def digest_of(text: str) -> str:
    """Return SHA-256 in hex: for secrets of 256 bits, which nobody guesses."""
    return sha256(text.encode()).hexdigest()


def enrolment(ground: Ground, login: str, secret: bytes) -> Enrolment:
    """Return what an authenticator app must be given."""
    return Enrolment(
        secret=totp.shown(secret), uri=totp.uri(secret, login=login, issuer=ground.rules.issuer)
    )


def party_fact(party: str) -> dict[str, str]:
    """Return what an audit row says of the partner that an account is of."""
    return {"party": party} if party else {}


def _state(person: Person) -> AccountState:
    if person.closed_at is not None:
        return AccountState.CLOSED
    return AccountState.ACTIVE if person.active else AccountState.WAITING


def account_of(person: Person, locked_until: datetime | None = None) -> Account:
    """Return the account."""
    return Account(
        id=person.id,
        login=person.login,
        name=person.name,
        roles=person.roles,
        officer=person.officer,
        party=person.party,
        preferences=_preferences(person.preferences),
        has_totp=person.totp is not None,
        passkeys=person.passkeys,
        state=_state(person),
        locked_until=locked_until,
        created_at=person.created_at,
        last_at=person.last_at,
        subject=person.subject,
    )


def session_of(row: OpenSession, person: Person) -> Session:
    """Return the session."""
    return Session(
        id=row.id,
        account=account_of(person),
        factor=row.factor,
        started_at=row.started_at,
        idle_until=row.idle_until,
        ends_at=row.ends_at,
        proven_at=row.proven_at,
    )


def _preferences(kept: Mapping[str, Any]) -> Preferences:
    minutes = kept.get("idle")
    return Preferences(
        language=Language(kept.get("language", Language.NL)),
        theme=Theme(kept.get("theme", Theme.SYSTEM)),
        idle=timedelta(minutes=minutes) if minutes else None,
        shortcuts=bool(kept.get("shortcuts")),
    )


def preferences_text(preferences: Preferences) -> str:
    """Return what is stored of them."""
    idle = preferences.idle
    return json.dumps(
        {
            "language": preferences.language.value,
            "theme": preferences.theme.value,
            "idle": int(idle.total_seconds() // 60) if idle else None,
            "shortcuts": preferences.shortcuts,
        }
    )


def idle_for(person: Person, rules: Rules) -> timedelta:
    """Return how long this one may rest."""
    return _preferences(person.preferences).idle or rules.idle
