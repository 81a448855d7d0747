"""Encryption of payloads: a key per payload, chunks that can not be moved, cut or swapped."""

import hmac
from collections.abc import Iterator, Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import GatewayError
from gateway.ports import SealedPayload

CHUNK = 256 * 1024
"""Plain octets per chunk."""
KEY = 32
NONCE = 12


def seal(
    octets: bytes,
    *,
    id_: str,
    key: bytes,
    nonce: bytes,
    epoch_key: tuple[str, bytes],
    label: bytes = b"",
) -> SealedPayload:
    """Encrypt; `key` (32 octets) and `nonce` (12, for the wrapping) must be fresh.

    An empty label is none.
    """
    cipher = AESGCM(key)
    chunks = tuple(
        # The key is of this payload alone: a counter is a nonce that never comes twice.
        cipher.encrypt(_nonce(n), piece, _bound(id_, n, last=last))
        for n, piece, last in _pieces(octets)
    )
    return SealedPayload(
        id=id_,
        size=len(octets),
        sha256=sha256(octets).hexdigest(),
        epoch_key=epoch_key[0],
        wrapped=wrap(key, id_=id_, nonce=nonce, epoch_key=epoch_key),
        chunks=chunks,
        label=_mark(key, id_, label) if label else None,
    )


def unseal(stored: SealedPayload, *, wrapping: bytes) -> bytes:
    """Return the plain octets; raise GatewayError `payload.tampered` when anything differs."""
    key = unwrap(stored.wrapped, id_=stored.id, epoch_key=(stored.epoch_key, wrapping))
    try:
        octets = b"".join(_open_chunks(AESGCM(key), stored.id, stored.chunks))
    except (InvalidTag, ValueError) as error:
        raise _tampered() from error
    if (len(octets), sha256(octets).hexdigest()) != (stored.size, stored.sha256):
        raise _tampered()
    return octets


def is_label(stored: SealedPayload, label: bytes, *, wrapping: bytes) -> bool:
    """Tell whether it was sealed with this label; raise GatewayError `payload.tampered`."""
    if not label or stored.label is None:
        return False
    key = unwrap(stored.wrapped, id_=stored.id, epoch_key=(stored.epoch_key, wrapping))
    return hmac.compare_digest(stored.label, _mark(key, stored.id, label))


def _mark(key: bytes, id_: str, label: bytes) -> bytes:
    """Nobody without the payload's key can make it; that key is of this payload alone."""
    purpose = hmac.digest(key, b"label\0" + id_.encode(), "sha256")
    return hmac.digest(purpose, label, "sha256")


def wrap(key: bytes, *, id_: str, nonce: bytes, epoch_key: tuple[str, bytes]) -> bytes:
    """Return the key of payload `id_` under an epoch key; `nonce` (12 octets) must be fresh."""
    name, wrapping = epoch_key
    return nonce + AESGCM(wrapping).encrypt(nonce, key, _wrap_bound(id_, name))


def unwrap(wrapped: bytes, *, id_: str, epoch_key: tuple[str, bytes]) -> bytes:
    """Return the key of payload `id_`; raise GatewayError `payload.tampered`."""
    name, wrapping = epoch_key
    try:
        return AESGCM(wrapping).decrypt(wrapped[:NONCE], wrapped[NONCE:], _wrap_bound(id_, name))
    except (InvalidTag, ValueError) as error:
        raise _tampered() from error


def _open_chunks(cipher: AESGCM, id_: str, chunks: Sequence[bytes]) -> Iterator[bytes]:
    for n, chunk in enumerate(chunks):
        yield cipher.decrypt(_nonce(n), chunk, _bound(id_, n, last=n == len(chunks) - 1))


def _pieces(octets: bytes) -> Iterator[tuple[int, memoryview, bool]]:
    """Cut; an empty payload has one empty chunk."""
    view = memoryview(octets)
    count = max(1, -(-len(octets) // CHUNK))
    for n in range(count):
        yield n, view[n * CHUNK : (n + 1) * CHUNK], n == count - 1


def _nonce(n: int) -> bytes:
    return n.to_bytes(NONCE, "big")


def _bound(id_: str, n: int, *, last: bool) -> bytes:
    return b"chunk\0" + id_.encode() + b"\0" + n.to_bytes(8, "big") + bytes([last])


def _wrap_bound(id_: str, epoch_key: str) -> bytes:
    return b"key\0" + id_.encode() + b"\0" + epoch_key.encode()


def _tampered() -> GatewayError:
    return GatewayError("payload.tampered", "stored payload is not what was stored")
