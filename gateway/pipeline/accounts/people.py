"""From rows to accounts and sessions as the console knows them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

from gateway.ports import AuditEvent, Clock, Dice
from gateway.ports.accounts import Account, Language, Preferences, Session, Theme
from gateway.store.people import OpenSession, Person, SqlPeople


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

    def failures_of(self, login: str) -> str:
        """Return how the keys of this login's failures begin."""
        return self.digest("slot", login)[:LOGIN_KEY]

    def event(self, name: str, *, actor: str, **facts: str) -> AuditEvent:
        """Return an audit row of the console."""
        return AuditEvent(
            event=f"console.{name}", at=self.clock.now(), actor=actor, data=dict(facts)
        )


TOKEN_OCTETS = 32
LOGIN_KEY = 21
"""Characters of a digest: 126 bits."""


def token(dice: Dice) -> str:
    """Return a fresh secret of 256 bits."""
    return dice.octets(TOKEN_OCTETS).hex()


def digest_of(text: str) -> str:
    """Return SHA-256 in hex: for secrets of 256 bits, which nobody guesses."""
    return sha256(text.encode()).hexdigest()


def account_of(person: Person, locked_until: datetime | None = None) -> Account:
    """Return the account."""
    return Account(
        id=person.id,
        login=person.login,
        name=person.name,
        roles=person.roles,
        officer=person.officer,
        preferences=_preferences(person.preferences),
        has_totp=person.totp is not None,
        passkeys=person.passkeys,
        active=person.active and person.closed_at is None,
        locked_until=locked_until,
        created_at=person.created_at,
        last_at=person.last_at,
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
