"""What a failed exchange means for the message: not arrived, perhaps arrived, not the party."""

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import aiohttp

from gateway.errors import CertificateRejected, GatewayError, OutcomeUnknown, PeerUnreachable
from gateway.outbound.tls import PeerRejected


@dataclass(slots=True)
class Progress:
    """How far one request came. From `connected` on something may have arrived."""

    connected: bool = False


def tracing() -> aiohttp.TraceConfig:
    """Return what keeps the Progress that a request carries as its trace context."""
    trace = aiohttp.TraceConfig()

    async def connected(_session: object, context: object, _facts: object) -> None:
        progress = getattr(context, "trace_request_ctx", None)
        if isinstance(progress, Progress):
            progress.connected = True

    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


def failure(error: BaseException, progress: Progress) -> GatewayError:
    """Return our error for one of aiohttp, ssl or the socket."""
    chain = tuple(causes(error))
    refusal = next((found for cause in chain if (found := _refusal(cause))), None)
    if refusal is not None:
        return refusal
    late = any(isinstance(cause, TimeoutError) for cause in chain)
    if not progress.connected:
        return PeerUnreachable(
            "peer.timeout" if late else "peer.unreachable", "no connection to the partner"
        )
    return OutcomeUnknown(
        "answer.timeout" if late else "answer.lost", "no answer; the message may have arrived"
    )


def _refusal(cause: BaseException) -> GatewayError | None:
    """One of the two sides refused the other's certificate, or they share no TLS."""
    if isinstance(cause, PeerRejected):
        return cause.error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return CertificateRejected("peer.certificate", "server certificate is not trusted")
    if isinstance(cause, ssl.SSLError) and "ALERT" in str(getattr(cause, "reason", "")):
        # With TLS 1.3 the partner judges our certificate after our side of the handshake:
        # the alert comes when we already wrote. It says that nothing was taken in. (A
        # partner that resets the connection instead leaves the outcome unknown.)
        return PeerUnreachable("peer.tls", "partner refused the TLS connection")
    return None


Explained = Sequence[tuple[type[BaseException], str, str]]
"""Kind of error, code and text: the first that fits."""


def explained(
    error: BaseException, codes: Explained, *, otherwise: tuple[str, str]
) -> PeerUnreachable:
    """Return our error for one of aiohttp, ssl or the socket, by a table of the caller."""
    chain = tuple(causes(error))
    for kind, code, text in codes:
        if any(isinstance(cause, kind) for cause in chain):
            return PeerUnreachable(code, text)
    return PeerUnreachable(*otherwise)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
