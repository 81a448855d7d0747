"""Who vouches for people elsewhere: an OpenID provider, as the accounts use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.ports.accounts import Session, Welcome, Whence
from gateway.security.oidc import Metadata, SigningKey, Tokens


class IdentityProvider(Protocol):
    """The provider. Raises PeerUnreachable `oidc.*` when it does not answer as it should."""

    def published(self) -> Mapping[str, Any]:
        """Return our own public keys, by which the provider knows us, as a JWK set."""
        ...

    async def metadata(self) -> Metadata:
        """Return what it says of itself, not older than an hour."""
        ...

    async def keys(self, kid: str) -> Sequence[SigningKey]:
        """Return its keys; they are fetched again, once in a while, when `kid` is not there."""
        ...

    async def redeem(self, code: str, *, verifier: str, jti: str, at: datetime) -> Tokens:
        """Exchange a code; raises Untrusted `oidc.code` for one that is worth nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A browser on its way to the provider."""

    url: str
    secret: str
    """For a cookie: without it nobody comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the browser brought back; empty = not there."""

    state: str
    code: str
    issuer: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Somebody who came back, proven."""

    welcome: Welcome | None
    """None: he had a session already, and has shown again who he is."""
    back: str
    """Where he wanted to go; not judged yet."""


class Elsewhere(Protocol):
    """Signing in at the provider.

    Raises Untrusted `oidc.*` for what is not proven, PolicyViolation where the person may not
    come in, PeerUnreachable `oidc.*` when the provider is not there, Limited as the door.
    """

    async def begin(self, *, back: str, session: Session | None) -> Begun:
        """Begin a sign-in, or with a session the proof that it is still the same person."""
        ...

    async def finish(
        self, secret: str, answer: Answer, whence: Whence, *, session: Session | None
    ) -> Arrived: ...

    def published(self) -> Mapping[str, Any]:
        """Return our own public keys, as a JWK set; none where a secret is shared."""
        ...

    async def sign_out_url(self, back: str) -> str:
        """Return where the provider's own session is ended; empty = not known."""
        ...
