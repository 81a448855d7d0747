"""Secure e-mail, made and read, against the RSA operations that it can not do without."""

from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bench.measure import Figure, compare
from gateway.security.smime.seal import sealed_entity, signed_entity
from gateway.wire.mail_make import entity
from tests.pki import AT, POLITIE, leaf
from tests.sealing import load_key, octets_from
from tests.smime import MAXIMUM, bob, draft, mailbox, opened, rsa_signer, sealed, to

_HASH = hashes.SHA256()
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_KEY = b"k" * 32
_ATTRIBUTES = b"x" * 200
"""As large as signed attributes."""
_PAYLOAD = b"x" * 4_096
GOAL = 2.0


def figures() -> Iterator[Figure]:
    """One private and one public operation of RSA-2048 each way."""
    signing, decrypting = load_key(leaf(POLITIE, "sign").key), load_key(bob().key)
    verifying, encrypting = signing.public_key(), decrypting.public_key()
    value, wrapped = signing.sign(_ATTRIBUTES, _PSS, _HASH), encrypting.encrypt(_KEY, _OAEP)
    made, signer, recipients, random, box = draft(), rsa_signer(), to(), octets_from(), mailbox()
    octets = sealed(made).octets

    def bare_seal() -> None:
        signing.sign(_ATTRIBUTES, _PSS, _HASH)
        encrypting.encrypt(_KEY, _OAEP)

    def bare_open() -> None:
        decrypting.decrypt(wrapped, _OAEP)
        verifying.verify(value, _ATTRIBUTES, _PSS, _HASH)

    def seal() -> None:
        signed = signed_entity(entity({}, _PAYLOAD, kind="application/xml"), signer, at=AT)
        sealed_entity(signed, {}, recipients, maximum=MAXIMUM, random=random)

    yield compare("S/MIME: seal 4 KB", seal, "its RSA", bare_seal, goal=GOAL)
    yield compare("mail of 5 KB XML, for a person too", lambda: sealed(made), "its RSA", bare_seal)
    yield compare("open that mail", lambda: opened(octets, box), "its RSA", bare_open)
