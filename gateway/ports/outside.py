"""Clock, dice, keys, network and the directory of now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.directory import Directory
from gateway.message import Oin, WireMessage
from gateway.security.algorithms import Agreer, Decrypter, Signer
from gateway.security.certificates import TrustStore
from gateway.wire.schema import SchemaSet


class Clock(Protocol):
    """Time. `now` is UTC and aware; durations are measured with `monotonic` (seconds)."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class Dice(Protocol):
    """Chance: ids, jitter in [0, 1), and random octets for keys and nonces."""

    def uuid(self) -> str: ...
    def unit(self) -> float: ...
    def octets(self, n: int) -> bytes: ...


class Keyring(Protocol):
    """Private keys of the local parties, found by the certificate (DER) they belong to.

    Raises Misconfigured `keys.missing` when the installation does not hold the key.
    """

    def signer(self, certificate: bytes) -> Signer: ...
    def decrypter(self, certificate: bytes) -> Decrypter: ...
    def agreer(self, certificate: bytes) -> Agreer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to post, as whom, and whom to expect there."""

    url: str
    party: Oin
    """Its server certificate must carry this OIN (or that of a recorded mandate)."""
    client_certificate: bytes | None
    """DER of ours; None = the installation's only TLS client certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HTTP answer of a partner. `message` is the body when there is one."""

    status: int
    message: WireMessage | None = None
    retry_after: timedelta | None = None


class Network(Protocol):
    """One POST over mutual TLS.

    Raises PeerUnreachable when nothing can have arrived, OutcomeUnknown when it may have,
    Untrusted when the other end is not the party.
    """

    async def post(self, endpoint: Endpoint, message: WireMessage) -> Answer: ...


class Snapshots(Protocol):
    """The current Directory; a reload swaps it and moves the epoch."""

    def current(self) -> Directory: ...
    async def moved(self, epoch: int) -> bool:
        """Wait for a Directory of another epoch than this; False when none comes in time."""
        ...

    def trust(self, directory: Directory) -> TrustStore:
        """Return the parsed trust of that snapshot, with its cache of judged certificates."""
        ...

    def schemas(self, directory: Directory) -> SchemaSet:
        """Return the compiled schemas of that snapshot; raises StaleSnapshot for an older one."""
        ...
