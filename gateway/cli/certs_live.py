"""Which certificate a listener really shows: asked over TLS, as a partner would."""

import ssl
import time
from collections.abc import Callable

from gateway.config import TlsListener
from gateway.security.certificates import thumbprint

PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.25
HANDSHAKE_SECONDS = 3.0
SHARED = 12
"""Handshakes that must all show it where several processes share the port."""
_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - to recognise it, not to bind


def address(listener: TlsListener) -> tuple[str, int]:
    """Return where the listener can be reached from this machine."""
    return ("127.0.0.1" if listener.host in _ANY else listener.host, listener.port)


def shown_by(listener: TlsListener) -> str | None:
    """Return the SHA-256 of the certificate that is shown now; None when nobody listens."""
    try:
        pem = ssl.get_server_certificate(address(listener), timeout=HANDSHAKE_SECONDS)
    except (OSError, ValueError):
        return None
    return thumbprint(ssl.PEM_cert_to_DER_cert(pem))


def wait_until_shown(
    listener: TlsListener, sha256: str, *, shared: bool, pause: Callable[[float], None] = time.sleep
) -> bool | None:
    """Ask until every answer is the new one; False when it does not come, None without anybody."""
    wanted, seen = SHARED if shared else 1, 0
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = shown_by(listener)
        if found is None:
            return None
        seen = seen + 1 if found == sha256 else 0
        if seen >= wanted:
            return True
        if seen == 0:
            pause(PAUSE_SECONDS)
    return False
