"""libxmlsec, in C, against ours. `XMLSEC_PYTHON` names an interpreter that has it.

It lives in an environment of its own, so that it never holds back an update of lxml.
"""

import json
import os
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.directory import Encryption
from gateway.message import Payload
from gateway.security.algorithms import (
    AES128_GCM,
    AES256_GCM,
    C14N_EXCLUSIVE,
    C14N_INCLUSIVE,
    DIGIKOPPELING,
    RSA_SHA256,
    RSA_SHA512,
)
from gateway.security.dsig import verify_envelope
from gateway.security.dsig_make import serialize, sign_envelope
from gateway.security.enveloped import sign_document, verify_document
from gateway.security.xenc import encrypt_part
from gateway.wire import xml
from gateway.wire.ebms2.header import user_message
from tests.pki import leaf
from tests.sealing import (
    ALICE,
    BOB,
    DOCUMENT,
    agreement,
    header,
    keys,
    last_octet_changed,
    octets_from,
    signing,
)

Oracle = Callable[..., dict[str, object]]

CANONICALIZATIONS = [C14N_EXCLUSIVE, C14N_INCLUSIVE]
PARTS = {"payload-1@alice.example": DOCUMENT, "second": bytes(range(256)) * 100}


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    python = os.environ.get("XMLSEC_PYTHON")
    assert python, "set XMLSEC_PYTHON to a Python that has xmlsec (see `make external`)"
    script = Path(__file__).with_name("xmlsec_oracle.py")
    with subprocess.Popen(
        [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        into, out = process.stdin, process.stdout

        def ask(command: str, **fields: bytes | str | dict[str, bytes]) -> dict[str, object]:
            into.write(json.dumps({"command": command, **fields}, default=as_text) + "\n")
            into.flush()
            answer = out.readline()
            assert answer, "the oracle has ended"
            return dict(json.loads(answer))

        yield ask
        into.close()


def as_text(octets: bytes) -> str:
    return b64encode(octets).decode()


def unsigned(**changes) -> bytes:
    return serialize(user_message(header(agreement("osb-rm-s"), **changes), tuple(PARTS)))


def signed(canonicalization: str, octets: bytes, algorithm: str = RSA_SHA256) -> bytes:
    return sign_envelope(
        xml.parse(octets),
        PARTS,
        signing=signing(signature_algorithm=algorithm),
        signer=keys().signer(signing().certificate),
        canonicalization=canonicalization,
    ).envelope


def accepts(oracle: Oracle, envelope: bytes, parts: dict[str, bytes]) -> bool:
    answer = oracle(
        "verify", envelope=envelope, parts=parts, certificate=leaf(ALICE, "sign").certificate
    )
    if answer["verified"]:
        assert answer["uris"] == ["", *(f"cid:{cid}" for cid in PARTS)]
    return bool(answer["verified"])


def we_accept(envelope: bytes, parts: dict[str, bytes]) -> bool:
    return bool(
        verify_envelope(
            xml.parse(envelope),
            parts,
            policy=DIGIKOPPELING,
            certificates=(signing().certificate,),
        ).references
    )


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
@pytest.mark.parametrize("sync_reply", [False, True])
def test_libxmlsec_verifies_what_we_sign(oracle, canonicalization, algorithm, sync_reply):
    envelope = signed(canonicalization, unsigned(sync_reply=sync_reply), algorithm)

    assert accepts(oracle, envelope, PARTS)


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
def test_libxmlsec_rejects_what_was_changed(oracle, canonicalization):
    envelope = signed(canonicalization, unsigned())

    assert not accepts(oracle, envelope.replace(b"message-1@", b"message-2@"), PARTS)
    assert not accepts(oracle, envelope, {**PARTS, "second": b"other"})
    assert not accepts(oracle, envelope, {"second": PARTS["second"]})


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
@pytest.mark.parametrize("sync_reply", [False, True])
def test_we_verify_what_libxmlsec_signs(oracle, canonicalization, algorithm, sync_reply):
    mine = leaf(ALICE, "sign")
    answer = oracle(
        "sign",
        envelope=unsigned(sync_reply=sync_reply),
        parts=PARTS,
        key=mine.key,
        certificate=mine.certificate,
        canonicalization=canonicalization,
        algorithm=algorithm,
    )

    assert we_accept(b64decode(str(answer["envelope"])), PARTS)


DECISION = (
    '<b:besluit xmlns:b="urn:b" xmlns:q="urn:q" xml:lang="nl">\n'
    '  <b:uitkomst a="&quot;&#9;">Zoë &amp; co</b:uitkomst><x xmlns="urn:x"/></b:besluit>'
).encode()


@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
def test_libxmlsec_verifies_the_document_that_we_sign(oracle, algorithm):
    mine = signing(signature_algorithm=algorithm)
    made = sign_document(DECISION, signer=keys().signer(mine.certificate), signing=mine)
    certificate = leaf(ALICE, "sign").certificate

    answer = oracle("verify", envelope=made, parts={}, certificate=certificate)
    changed = oracle(
        "verify", envelope=made.replace(b" co<", b" c<"), parts={}, certificate=certificate
    )

    assert (answer["verified"], answer["uris"]) == (True, [""])
    assert not changed["verified"]


@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
def test_we_verify_the_document_that_libxmlsec_signs(oracle, algorithm):
    mine = leaf(ALICE, "sign")

    answer = oracle(
        "sign-document",
        document=DECISION,
        key=mine.key,
        certificate=mine.certificate,
        algorithm=algorithm,
    )

    made = b64decode(str(answer["document"]))
    assert verify_document(made).certificate == mine.certificate


@pytest.mark.parametrize("algorithm", [AES128_GCM, AES256_GCM])
@pytest.mark.parametrize("octets", [DOCUMENT, bytes(range(256)) * 50])
def test_libxmlsec_decrypts_what_we_encrypt(oracle, algorithm, octets):
    mine = leaf(BOB, "encrypt")
    part = encrypt_part(
        Payload(content_id="x", octets=octets),
        Encryption(algorithm=algorithm, certificate=mine.certificate),
        media_type="application/xml",
        random=octets_from(),
    )
    broken = last_octet_changed(part).octets

    assert b64decode(str(oracle("decrypt", part=part.octets, key=mine.key)["octets"])) == octets
    assert oracle("decrypt", part=broken, key=mine.key)["octets"] is None
