"""Every algorithm that DK-SEC leaves: as a CPA names it, out of here, and in from elsewhere."""

from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from lxml import etree

from gateway.directory import Agreement
from gateway.keys.test_pki import Leaf
from gateway.message import Part
from gateway.rules import approval
from gateway.security import seal
from gateway.security.algorithms import (
    AES128_GCM,
    AES256_GCM,
    DIGIKOPPELING,
    ECDSA_SHA256,
    ECDSA_SHA384,
    RSA_OAEP,
    RSA_OAEP_MGF1P,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    SHA256,
    SHA384,
    SHA512,
)
from gateway.security.cpa_lint import lint
from gateway.security.open import Opened, open_message
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import make_cpa
from gateway.wire.mime import join
from tests import pki
from tests.cpas import spec
from tests.pki import AT
from tests.sealing import (
    ALICE,
    BOB,
    DOCUMENT,
    LIMITS,
    Keys,
    header,
    octets_from,
    payload,
    trust,
)
from tests.weak import encrypted, part, sealed_by, signed_again

KINDS = {
    "RSA 3072": {"key_bits": 3072},
    "RSA 4096": {"key_bits": 4096},
    "P-256": {"curve": ec.SECP256R1()},
    "P-384": {"curve": ec.SECP384R1()},
}
SIGNING = [
    *(("RSA 2048", by, of) for by in (RSA_SHA256, RSA_SHA384, RSA_SHA512) for of in (SHA256,)),
    *(("RSA 2048", RSA_SHA256, of) for of in (SHA384, SHA512)),
    ("RSA 3072", RSA_SHA384, SHA384),
    ("RSA 4096", RSA_SHA512, SHA512),
    *((kind, by, SHA256) for kind in ("P-256", "P-384") for by in (ECDSA_SHA256, ECDSA_SHA384)),
    ("P-384", ECDSA_SHA384, SHA512),
]
"""Every signature, every digest, every kind of key; what goes together was tried apart."""
ENCRYPTING = [(kind, by) for kind in ("RSA 2048", "RSA 3072") for by in (AES128_GCM, AES256_GCM)]


@cache
def made(oin: str, usage: str, kind: str) -> Leaf:
    if kind == "RSA 2048":
        return pki.leaf(oin, usage)
    return pki.pki().issue(oin=oin, name=f"TEST {kind}", usage=usage, **KINDS[kind])


def agreed(*, signs: str = "RSA 2048", reads: str = "RSA 2048", **algorithms: str) -> Agreement:
    """Return what is read from a CPA with these keys and algorithms; nothing in it stops it."""
    police, hub = spec().parties
    parties = (
        replace(police, sign=made(ALICE, "sign", signs).certificate),
        replace(hub, encrypt=made(BOB, "encrypt", reads).certificate),
    )
    octets = make_cpa(replace(spec(parties=parties), **algorithms))
    assert lint(octets, at=AT).may_be_activated
    return read_cpa(octets)


def signed(agreement: Agreement, signs: str) -> seal.Sealed:
    key = made(ALICE, "sign", signs)
    return seal.sign_message(
        approval.own(payload_sha256()),
        header(agreement),
        (payload(),),
        channel=agreement.bindings[0].channel,
        signer=Keys(key).signer(key.certificate),
    )


@cache
def payload_sha256() -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(DOCUMENT)
    return digest.finalize().hex()


def opened(agreement: Agreement, message, reads: str) -> Opened:
    return open_message(
        wire.read(message.body, message.content_type, limits=LIMITS),
        agreement,
        trust=trust(),
        keyring=Keys(made(BOB, "encrypt", reads)),
        limits=LIMITS,
        at=AT,
    )


def sent(agreement: Agreement, envelope: bytes):
    return seal.encrypt_message(
        envelope,
        (payload(),),
        channel=agreement.bindings[0].channel,
        random=octets_from(),
        boundary="=_b",
    )


@cache
def elsewhere() -> Part:
    der = made(BOB, "encrypt", "RSA 2048").certificate
    cid = payload().content_id
    return encrypted(cid, DOCUMENT, der, cipher=AES256_GCM, transport=RSA_OAEP_MGF1P)


def methods(envelope: bytes) -> set[str]:
    tree = etree.fromstring(envelope)
    return {e.get("Algorithm") for e in tree.iter("{*}SignatureMethod", "{*}DigestMethod")}


@pytest.mark.parametrize(("kind", "by", "digests"), SIGNING)
def test_what_a_cpa_names_is_what_signs_and_what_is_verified(kind, by, digests):
    agreement = agreed(signs=kind, signature_algorithm=by, digest_algorithm=digests)
    ours = signed(agreement, kind).envelope

    assert methods(ours) == {by, digests}
    assert opened(agreement, sent(agreement, ours), "RSA 2048").payloads == (payload(),)

    plain = agreed(signs=kind, signature_algorithm=by)  # of another digest than was agreed
    again = signed_again(ours, DOCUMENT, made(ALICE, "sign", kind).key, by=by, digests=SHA512)
    theirs = join(again, "root@x", (elsewhere(),), boundary="=_b")
    found = opened(plain, theirs, "RSA 2048")
    assert found.payloads == (payload(),)
    assert {one.digest_method for one in found.references} == {SHA512}


@pytest.mark.parametrize(("kind", "cipher"), ENCRYPTING)
def test_what_a_cpa_names_is_what_encrypts_and_what_is_decrypted(kind, cipher):
    agreement = agreed(reads=kind, encryption_algorithm=cipher)

    message = sent(agreement, signed(agreement, "RSA 2048").envelope)

    assert f'EncryptionMethod Algorithm="{cipher}"'.encode() in message.body
    assert f'EncryptionMethod Algorithm="{RSA_OAEP}"'.encode() in message.body
    assert opened(agreement, message, kind).payloads == (payload(),)


@pytest.mark.parametrize("transport", [RSA_OAEP, RSA_OAEP_MGF1P])
@pytest.mark.parametrize(("kind", "cipher"), ENCRYPTING)
def test_both_spellings_of_oaep_come_in_from_elsewhere_whatever_the_cpa_names(
    kind, cipher, transport
):
    agreement = agreed(reads=kind, encryption_algorithm=AES256_GCM)
    key = b"\x17" * (16 if cipher == AES128_GCM else 32)
    public = x509.load_der_x509_certificate(made(BOB, "encrypt", kind).certificate).public_key()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    theirs = part(
        payload().content_id,
        cipher=cipher,
        transport=transport,
        wrapped=public.encrypt(key, oaep),
        sealed=sealed_by(cipher, key, DOCUMENT),
    )
    envelope = signed(agreement, "RSA 2048").envelope

    found = opened(agreement, join(envelope, "root@x", (theirs,), boundary="=_b"), kind)

    assert found.payloads == (payload(),)
    assert found.weaknesses == frozenset()


def test_the_matrix_names_all_that_is_allowed():
    assert {by for _, by, _ in SIGNING} == DIGIKOPPELING.signatures
    assert {of for _, _, of in SIGNING} == DIGIKOPPELING.digests
    assert {by for _, by in ENCRYPTING} == DIGIKOPPELING.ciphers
    assert {kind for kind, _, _ in SIGNING} == {"RSA 2048", *KINDS}
    assert {RSA_OAEP, RSA_OAEP_MGF1P} == DIGIKOPPELING.key_transports
