"""TLS on both sides: what is spoken, who is let in, and a listener that can be renewed.

Versions and ciphers are those that the NCSC calls good or sufficient (Digikoppeling
Beveiligingsstandaarden, TLS004 and TLSCIPH001): TLS 1.2 and 1.3, forward secrecy, AEAD.
Chain building here only keeps strangers out; who the other end is, and whether its
certificate still holds, is judged per request by `TrustStore`.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

from gateway.directory import Trust
from gateway.errors import GatewayError, Misconfigured
from gateway.private_file import check_private

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; every suite of TLS 1.3 in OpenSSL's default is good."""

_OPTIONS = (
    ssl.OP_NO_TICKET
    | ssl.OP_NO_COMPRESSION
    | ssl.OP_NO_RENEGOTIATION
    | ssl.OP_CIPHER_SERVER_PREFERENCE
    | ssl.OP_SINGLE_ECDH_USE
)
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which the module ssl does not name."""
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"

Check = Callable[[bytes], None]
"""Judges the peer's certificate (DER); raises GatewayError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """PEM files: a certificate, with its issuers behind it, and its private key.

    The key has mode 0600 and no passphrase.
    """

    certificate: Path
    key: Path

    def der(self) -> bytes:
        """Return the certificate of the key; raise Misconfigured `tls.certificate`."""
        try:
            text = self.certificate.read_text("ascii")
            first = text[text.index(_BEGIN) : text.index(_END) + len(_END)]
            return ssl.PEM_cert_to_DER_cert(first)
        except (OSError, ValueError) as error:
            raise Misconfigured(
                "tls.certificate", "Certificaat is niet te lezen.", where=str(self.certificate)
            ) from error


class PeerRejected(ssl.SSLError):
    """The handshake succeeded and the other end is not who it must be. `error` says why."""

    def __init__(self, error: GatewayError) -> None:
        """Carry the reason through the TLS layer, which only lets SSLError pass."""
        super().__init__(1, error.code)
        self.error = error


def server_context(
    pair: KeyPair, *, clients: Trust | None = None, demanded: bool = True
) -> ssl.SSLContext:
    """Return the context of a listener.

    With `clients` a certificate that chains to one of the anchors is demanded, or only asked
    for: then its period is left to whoever judges the request, who can tell what is wrong.
    Raises Misconfigured `tls.certificate`, `tls.anchors`, `keys.permissions`, `keys.passphrase`.
    """
    context = _hardened(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    _load_pair(context, pair)
    if clients is not None:
        _load_anchors(context, clients)
        context.verify_mode = ssl.CERT_REQUIRED if demanded else ssl.CERT_OPTIONAL
        if not demanded:
            context.verify_flags |= _NO_CHECK_TIME
    return context


def client_context(pair: KeyPair | None, *, servers: Trust, check: Check) -> ssl.SSLContext:
    """Return the context for calling a partner: chain, host name, then `check`.

    `check` gets the partner's certificate (DER) after the handshake and before the first
    octet of a request; its GatewayError becomes PeerRejected. Raises as `server_context`.
    """
    context = _hardened(ssl.PROTOCOL_TLS_CLIENT)
    _load_anchors(context, servers)
    if pair is not None:
        _load_pair(context, pair)
    context.sslobject_class = _checked(check)
    return context


def outward_context(pair: KeyPair | None, *, ca: Path | None) -> ssl.SSLContext:
    """Return the context for calling a server outside the chain: its chain and its name.

    `ca` holds the roots that count, PEM; None = those of the system. Raises as
    `server_context`.
    """
    context = _hardened(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(
                "tls.anchors", "Het bestand met CA's is niet te lezen.", where=str(ca)
            ) from error
    if pair is not None:
        _load_pair(context, pair)
    return context


def unjudged_context() -> ssl.SSLContext:
    """Return the context for a server that is judged by other rules than a chain to a CA.

    The caller judges `shown_chain` before it says anything.
    """
    context = _hardened(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shown_chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return what the other end showed, DER, its own certificate first; nothing of it judged."""
    # Python 3.13 has this in public. Before, the same is there one step deeper, in PEM by default.
    shown = connection._sslobj.get_unverified_chain() or ()  # type: ignore[attr-defined]  # noqa: SLF001
    return tuple(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in shown)


class ReloadableContext(ssl.SSLContext):
    """The context of a listener that outlives its certificate and its anchors.

    New connections use what was swapped in last; those that exist stay as they are.

    No session is ever resumed, so that a client of a removed CA can not come back in. The
    options against tickets do not stop resumption by session id (TLS 1.2): its cache hangs
    on the context that a connection starts with. Each connection therefore starts with an
    empty context of its own and takes the real one when the ClientHello has come.
    """

    _current: ssl.SSLContext

    def __new__(cls, current: ssl.SSLContext) -> Self:
        """Be a server's context, as asyncio demands."""
        del current
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, current: ssl.SSLContext) -> None:
        """Start with `current`, made by `server_context`."""
        self._current = current

    def swap(self, fresh: ssl.SSLContext) -> None:
        """Use `fresh` from the next connection on."""
        self._current = fresh

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = True,  # noqa: FBT001, FBT002 - the signature of ssl
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin the server's side of one connection."""
        del server_side, server_hostname, session
        shell = _hardened(ssl.PROTOCOL_TLS_SERVER)
        shell.num_tickets = 0
        shell.verify_mode = self._current.verify_mode
        shell.verify_flags = self._current.verify_flags
        shell.sni_callback = self._take_current
        return shell.wrap_bio(incoming, outgoing, server_side=True)

    def _take_current(self, connection: Any, name: str | None, shell: ssl.SSLContext) -> None:
        del name, shell
        connection.context = self._current


def _hardened(protocol: ssl._SSLMethod) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= _OPTIONS
    context.set_ciphers(CIPHERS)
    return context


def _checked(check: Check) -> type[ssl.SSLObject]:
    class Checked(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            try:
                check(self.getpeercert(binary_form=True) or b"")
            except GatewayError as error:
                raise PeerRejected(error) from error

    return Checked


def _load_pair(context: ssl.SSLContext, pair: KeyPair) -> None:
    check_private(pair.key)
    pair.der()
    try:
        context.load_cert_chain(pair.certificate, pair.key, _no_passphrase)
    except OSError as error:
        raise Misconfigured(
            "tls.certificate", "Certificaat en sleutel horen niet bij elkaar.", where=str(pair.key)
        ) from error


def _no_passphrase() -> NoReturn:
    raise Misconfigured("keys.passphrase", "Sleutelbestand heeft een wachtwoord.")


def _load_anchors(context: ssl.SSLContext, trust: Trust) -> None:
    if not trust.anchors:
        raise Misconfigured("tls.anchors", "Er zijn geen vertrouwde stamcertificaten.")
    try:
        context.load_verify_locations(cadata=b"".join((*trust.anchors, *trust.intermediates)))
    except ssl.SSLError as error:
        raise Misconfigured("tls.anchors", "Een stamcertificaat is niet te lezen.") from error
