"""Which certificate a listener really shows: asked over TLS, as a partner would."""

import ssl
import time
from collections.abc import Callable

from gateway.config import TlsListener
from gateway.errors import GatewayError
from gateway.security.certificates import thumbprint

PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.25
HANDSHAKE_SECONDS = 3.0
SHARED = 12
"""Handshakes that must all show it where several processes share the port."""
BUSY = "busy"
"""Somebody listens, and showed no certificate in time."""
_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - to recognise it, not to bind
_NO_ANSWER = (
    "Het is geschreven, maar het draaiende proces antwoordde niet op tijd: of het al wordt getoond "
    "is niet gezien. Kijk straks met gateway doctor."
)


def address(listener: TlsListener) -> tuple[str, int]:
    """Return where the listener can be reached from this machine."""
    return ("127.0.0.1" if listener.host in _ANY else listener.host, listener.port)


def shown_by(listener: TlsListener) -> str | None:
    """Return the SHA-256 of the certificate that is shown now; BUSY; None when nobody listens."""
    try:
        pem = ssl.get_server_certificate(address(listener), timeout=HANDSHAKE_SECONDS)
    except (TimeoutError, ConnectionResetError, ssl.SSLError, ValueError):
        return BUSY  # somebody took the connection, or has a queue that is full
    except OSError:
        return None
    return thumbprint(ssl.PEM_cert_to_DER_cert(pem))


def wait_until_shown(
    listener: TlsListener, sha256: str, *, shared: bool, pause: Callable[[float], None] = time.sleep
) -> bool | None:
    """Ask until every answer is the new one; False when it does not come, None without anybody.

    A listener that is too busy to answer is asked again; raises GatewayError `certs.busy` when
    it never did.
    """
    answered = False
    wanted, seen = SHARED if shared else 1, 0
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = shown_by(listener)
        if found is None:
            return None
        answered = answered or found != BUSY
        seen = seen + 1 if found == sha256 else 0
        if seen >= wanted:
            return True
        if seen == 0:
            pause(PAUSE_SECONDS)
    if not answered:
        raise GatewayError("certs.busy", _NO_ANSWER, where=f"poort {listener.port}")
    return False
