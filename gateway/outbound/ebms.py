"""Posting to a partner over mutual TLS: one connection pool per partner.

A pool belongs to one snapshot of the directory and one certificate of ours. When the directory
moves, when our certificate was renewed, or when a certificate that was accepted would no longer
be accepted now, the next post starts a new pool: a kept connection never outlives the trust
that it was made with. Posts under way end on the old one.
"""

import io
import ssl
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp

from gateway.directory import Directory
from gateway.errors import (
    CertificateRejected,
    GatewayError,
    Misconfigured,
    OutcomeUnknown,
)
from gateway.message import Oin, WireMessage
from gateway.outbound.outcome import Progress, failure, tracing
from gateway.outbound.retry_after import retry_after
from gateway.outbound.tls import KeyPair, client_context
from gateway.ports import Answer, Clock, Endpoint, Snapshots
from gateway.security.certificates import Usage, acts_for, oin_of

READ_OCTETS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLimits:
    """Bounds on one exchange with a partner."""

    connect: timedelta = timedelta(seconds=10)
    """Look-up, TCP and TLS together."""
    silence: timedelta = timedelta(seconds=60)
    """Longest wait for the next octet of the answer."""
    total: timedelta = timedelta(minutes=5)
    answer_bytes: int = 1_000_000
    connections: int = 8
    """Per partner."""
    idle: timedelta = timedelta(seconds=15)
    """A kept connection is closed by us before the partner does it under a request."""
    longest_retry_after: timedelta = timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class _Line:
    """The pool of connections to one partner, with the certificates that it accepted."""

    directory: Directory
    identity: bytes
    """Our own certificate, DER."""
    session: aiohttp.ClientSession
    accepted: set[bytes] = field(default_factory=set)
    users: int = 0
    retired: bool = False

    async def leave(self) -> None:
        """One post less; the last one closes a retired line."""
        self.users -= 1
        await self.close_when_unused()

    async def close_when_unused(self) -> None:
        if self.retired and not self.users:
            await self.session.close()


class EbmsClient:
    """The network port over HTTPS."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        clock: Clock,
        identities: tuple[KeyPair, ...],
        limits: PostLimits | None = None,
    ) -> None:
        """Take our client certificates; raise Misconfigured when one can not be read."""
        self._snapshots = snapshots
        self._clock = clock
        self._identities = _by_certificate(identities)
        self._limits = limits or PostLimits()
        self._lines: dict[tuple[Oin, bytes | None], _Line] = {}

    def renew(self, identities: tuple[KeyPair, ...]) -> None:
        """Use these from the next post on; raise Misconfigured when one can not be read."""
        self._identities = _by_certificate(identities)

    async def post(self, endpoint: Endpoint, message: WireMessage) -> Answer:
        """Post once; a redirect is an answer like any other.

        Raises PeerUnreachable when nothing can have arrived, OutcomeUnknown when it may
        have, CertificateRejected or RevocationUnknown before the first octet when the other
        end is not (or not known to be) the party, Misconfigured for our own mistakes.
        """
        if not endpoint.url.lower().startswith("https://"):
            raise Misconfigured("endpoint.scheme", "Adres van de partner is geen https.")
        line, retired = self._line(endpoint)
        line.users += 1  # before anything is awaited: an unused line may be closed
        progress = Progress()
        try:
            if retired is not None:
                await retired.close_when_unused()
            return await self._exchange(line.session, endpoint.url, message, progress)
        except aiohttp.InvalidURL as error:
            raise Misconfigured("endpoint.url", "Adres van de partner is ongeldig.") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise failure(error, progress) from error
        finally:
            await line.leave()

    async def close(self) -> None:
        """Close all connections."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.session.close()

    # --- lines ------------------------------------------------------------------------

    def _line(self, endpoint: Endpoint) -> tuple[_Line, _Line | None]:
        """Return the line to use, and the one that it replaces."""
        key = (endpoint.party, endpoint.client_certificate)
        directory = self._snapshots.current()
        identity = self._identity(endpoint.client_certificate)
        line = self._lines.get(key)
        if line is not None:
            if (
                line.identity == identity
                and _same(line.directory, directory)
                and self._still_accepted(line, endpoint.party)
            ):
                return line, None
            line.retired = True
        fresh = self._lines[key] = self._open(directory, identity, endpoint)
        return fresh, line

    def _open(self, directory: Directory, identity: bytes, endpoint: Endpoint) -> _Line:
        accepted: set[bytes] = set()

        def check(certificate: bytes) -> None:
            self._judge(certificate, directory, endpoint.party)
            accepted.add(certificate)

        tls = client_context(self._identities[identity], servers=directory.trust, check=check)
        return _Line(
            directory=directory, identity=identity, session=self._session(tls), accepted=accepted
        )

    def _session(self, tls: ssl.SSLContext) -> aiohttp.ClientSession:
        limits = self._limits
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls,
                limit=limits.connections,
                keepalive_timeout=limits.idle.total_seconds(),
            ),
            timeout=aiohttp.ClientTimeout(
                total=limits.total.total_seconds(),
                sock_connect=limits.connect.total_seconds(),
                sock_read=limits.silence.total_seconds(),
            ),
            headers={"User-Agent": "berichtengateway", "Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[tracing()],
            trust_env=False,
        )

    def _identity(self, certificate: bytes | None) -> bytes:
        """Return our certificate for an agreement that names `certificate`.

        The named one where we have it; else one of the same organisation: partners know who
        calls by chain and OIN, so a renewed TLS certificate needs no new agreement.
        """
        if certificate is None and len(self._identities) == 1:
            return next(iter(self._identities))
        if certificate in self._identities:
            return certificate
        oin = _oin(certificate)
        for der in self._identities:
            if oin is not None and _oin(der) == oin:
                return der
        raise Misconfigured("keys.missing", "Sleutel van het TLS-clientcertificaat ontbreekt.")

    def _judge(self, certificate: bytes, directory: Directory, oin: Oin) -> None:
        """The other end must be the party, or act for it by a recorded mandate (EB005)."""
        trust = self._snapshots.trust(directory)
        identity = trust.judge(certificate, Usage.TLS_SERVER, self._clock.now())
        party = directory.party(oin)
        if party is None or not acts_for(identity, party):
            raise CertificateRejected(
                "peer.certificate", "server certificate is not of the receiving party"
            )

    def _still_accepted(self, line: _Line, party: Oin) -> bool:
        try:
            for certificate in line.accepted:
                self._judge(certificate, line.directory, party)
        except GatewayError:
            return False
        return True

    # --- one exchange -----------------------------------------------------------------

    async def _exchange(
        self, session: aiohttp.ClientSession, url: str, message: WireMessage, progress: Progress
    ) -> Answer:
        size = len(message.body)
        async with session.post(
            url,
            # A file object is sent piece by piece, so that a large body does not hold the loop.
            data=io.BytesIO(message.body) if size > READ_OCTETS else message.body,
            headers={
                "Content-Type": message.content_type,
                "Content-Length": str(size),
                "SOAPAction": message.soap_action,
            },
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            return Answer(
                status=response.status,
                message=await self._message(response),
                retry_after=self._retry_after(response.headers.get("Retry-After", "")),
            )

    async def _message(self, response: aiohttp.ClientResponse) -> WireMessage | None:
        """Of a failure only the status counts: its body may be too long or broken."""
        ok = response.status < 300  # noqa: PLR2004 - the HTTP class of success
        try:
            body = await self._body(response)
        except (aiohttp.ClientError, TimeoutError, OutcomeUnknown):
            if ok:
                raise
            response.close()
            return None
        content_type = response.headers.get("Content-Type", "")
        return WireMessage(body=body, content_type=content_type) if body else None

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        octets = bytearray()
        while chunk := await response.content.read(READ_OCTETS):
            octets += chunk
            if len(octets) > self._limits.answer_bytes:
                response.close()
                raise OutcomeUnknown("answer.size", "partner's answer is too large")
        return bytes(octets)

    def _retry_after(self, text: str) -> timedelta | None:
        wait = retry_after(text, self._clock.now())
        return None if wait is None else min(wait, self._limits.longest_retry_after)


def _by_certificate(identities: tuple[KeyPair, ...]) -> dict[bytes, KeyPair]:
    return {pair.der(): pair for pair in identities}


def _oin(certificate: bytes | None) -> Oin | None:
    try:
        return oin_of(certificate) if certificate is not None else None
    except CertificateRejected:
        return None


def _same(a: Directory, b: Directory) -> bool:
    return (a.epoch, a.fingerprint) == (b.epoch, b.fingerprint)
