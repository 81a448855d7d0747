"""People who use the console: their accounts, how they prove who they are, their sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from gateway.credentials import UserRole


class Language(StrEnum):
    NL = "nl"
    EN = "en"


class Theme(StrEnum):
    SYSTEM = "systeem"
    LIGHT = "licht"
    DARK = "donker"


class SecondFactor(StrEnum):
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "herstelcode"
    OIDC = "oidc"
    """The identity provider has asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a user may choose for himself."""

    language: Language = Language.NL
    theme: Theme = Theme.SYSTEM
    idle: timedelta | None = None
    """Longer than the setting, up to ten times (WCAG 2.2.1); None = the setting."""
    shortcuts: bool = False
    """Single-key shortcuts (WCAG 2.1.4)."""


class AccountState(StrEnum):
    """Whether somebody can sign in with it."""

    ACTIVE = "actief"
    WAITING = "wacht"
    """For its activation."""
    CLOSED = "gesloten"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsWanted:
    """Which accounts; what is left empty does not matter."""

    role: UserRole | None = None
    state: AccountState | None = None
    text: str = ""
    """A part of login or name, whatever its case."""


EVERYBODY = AccountsWanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in."""

    id: str
    """Opaque; stands in URLs."""
    login: str
    """Lower case; stands in audit rows as `actor`."""
    name: str
    """As others see it."""
    roles: frozenset[UserRole]
    officer: str
    """Id in `[[officieren]]` of who decides; empty for every other role."""
    party: str
    """OIN of the partner that an ontvanger is of; empty for every other role."""
    preferences: Preferences
    has_totp: bool
    passkeys: int
    state: AccountState
    locked_until: datetime | None
    created_at: datetime
    last_at: datetime | None
    """Last sign-in."""
    subject: str = ""
    """`sub` of this person at the OpenID provider, the only way in then; empty = not linked."""

    @property
    def active(self) -> bool:
        return self.state is AccountState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A proven user. A cookie names it; only its hash is kept."""

    id: str
    """Opaque, not the cookie's value: for lists and audit rows."""
    account: Account
    factor: SecondFactor
    started_at: datetime
    idle_until: datetime
    ends_at: datetime
    proven_at: datetime
    """When the second factor was last shown: deciding asks it again after a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session in a list."""

    id: str
    account: str
    login: str
    started_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: str
    agent: str
    """Browser and system in words, never the whole header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfWay:
    """The password was right; the second factor is still to come."""

    token: str
    """For a cookie of five minutes; it is not a session."""
    ways: frozenset[SecondFactor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """A sign-in that succeeded."""

    token: str
    """Value of the session cookie; never stored."""
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an authenticator app must be given; shown once."""

    secret: str
    """Base32, in groups of four."""
    uri: str
    """otpauth://, for a QR picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Who stands before the door with an activation code, and what is still to do."""

    account: Account
    needs_password: bool
    needs_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Whence:
    """Where a request comes from; never in a log line of the console."""

    address: str
    agent: str = ""


class SigningIn(Protocol):
    """The door. Every refusal at the door reads the same: Untrusted `console.aanmelding`.

    Raises Limited `console.vergrendeld` after too many failures (per account and per address;
    a session elsewhere goes on), Unavailable when the store is. All of it is audited.
    """

    async def password(self, login: str, password: str, whence: Whence) -> HalfWay: ...
    async def totp(self, half: str, code: str, whence: Whence) -> Welcome:
        """Take six digits; spaces are ignored, a code counts once."""
        ...

    async def recovery(self, half: str, code: str, whence: Whence) -> Welcome: ...
    async def passkey_challenge(self, half: str | None) -> Mapping[str, Any]:
        """Return the options for `navigator.credentials.get`; None = before any password."""
        ...

    async def passkey(
        self, half: str | None, answer: Mapping[str, Any], whence: Whence
    ) -> Welcome: ...
    async def session(self, token: str) -> Session | None:
        """Return the session of a cookie, and keep it from going idle; None = there is none."""
        ...

    async def peek(self, token: str) -> Session | None:
        """The same without keeping it alive: for live views."""
        ...

    async def step_up(self, session: Session, code: str) -> Session:
        """Show the second factor again (TOTP); raises Untrusted `console.code`."""
        ...

    async def step_up_passkey(self, session: Session, answer: Mapping[str, Any]) -> Session: ...
    async def sign_out(self, session: Session) -> None: ...
    async def challenge(self, session: Session) -> Mapping[str, Any]:
        """Return options for `navigator.credentials.get`, to step up."""
        ...

    # --- the first time, and after a recovery ---
    async def activation(self, code: str, whence: Whence) -> Activation:
        """Raises Untrusted `console.activatie`."""
        ...

    async def offer_totp(self, code: str) -> Enrolment:
        """Return a fresh secret for this activation; again = the same until it is used."""
        ...

    async def activate(
        self, code: str, *, password: str | None, totp: str, whence: Whence
    ) -> tuple[Welcome, Sequence[str]]:
        """Set the password, prove the app; return the recovery codes, shown once.

        Raises PolicyViolation `console.wachtwoord` (12 to 128 characters, not
        soon guessed), Untrusted `console.code`.
        """
        ...


class Accounts(Protocol):
    """Keeping accounts: by a beheerder (never his own roles), or oneself. Each is one commit.

    Raises NoRoute `console.gebruiker.onbekend`, PolicyViolation `console.gebruiker.*`.
    """

    async def all(
        self, wanted: AccountsWanted = EVERYBODY, *, after: str = "", limit: int = 50
    ) -> tuple[Account, ...]:
        """Return accounts by login, those behind `after`."""
        ...

    async def find(self, id_: str) -> Account | None: ...
    async def add(
        self,
        *,
        login: str,
        name: str,
        roles: frozenset[UserRole],
        officer: str,
        by: str,
        party: str = "",
    ) -> tuple[Account, str]:
        """Return the account and its activation code, shown once, valid for 24 hours."""
        ...

    async def change(
        self,
        id_: str,
        *,
        name: str,
        roles: frozenset[UserRole],
        officer: str,
        by: str,
        party: str = "",
    ) -> Account:
        """Change rights; sessions of the account end."""
        ...

    async def close(self, id_: str, *, by: str, why: str) -> None: ...
    async def recover(self, id_: str, *, by: str, why: str) -> str:
        """Take factors and sessions away; return a new activation code. Never for oneself."""
        ...

    async def link(self, id_: str, *, subject: str, by: str) -> None:
        """Let this person of the provider in, and no other way; never for oneself."""
        ...

    async def unlock(self, id_: str, *, by: str) -> None: ...
    async def prefer(self, id_: str, preferences: Preferences) -> Account: ...
    async def sessions(self, *, account: str | None = None) -> tuple[SessionView, ...]:
        """Return sessions that are open now, the newest first; at most 500."""
        ...

    async def end_session(self, id_: str, *, by: str) -> None: ...
    async def new_password(self, session: Session, *, old: str, new: str) -> None: ...
    async def passkey_options(self, session: Session) -> Mapping[str, Any]:
        """Return options for `navigator.credentials.create`."""
        ...

    async def add_passkey(
        self, session: Session, answer: Mapping[str, Any], *, name: str
    ) -> None: ...
    async def passkeys(self, account: str) -> Sequence["PasskeyView"]: ...
    async def remove_passkey(self, session: Session, id_: str) -> None: ...

    async def new_codes(self, session: Session) -> Sequence[str]:
        """Return new recovery codes, shown once; those of before are void."""
        ...

    async def offer_app(self, session: Session) -> Enrolment:
        """Return what another authenticator app must be given."""
        ...

    async def take_app(self, session: Session, code: str) -> None:
        """Put that app in the place of the one before; raises Untrusted `console.code`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyView:
    id: str
    name: str
    created_at: datetime
    used_at: datetime | None


class Drafts(Protocol):
    """What somebody has filled in and not sent yet, encrypted; gone after a day or when used."""

    async def keep(self, account: str, subject: str, fields: Mapping[str, str]) -> None: ...
    async def find(self, account: str, subject: str) -> Mapping[str, str] | None: ...
    async def drop(self, account: str, subject: str) -> None: ...
