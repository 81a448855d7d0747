"""The JDK's own XML Signature and cryptography against ours, in both directions."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.directory import Encryption
from gateway.errors import DecryptionFailed, SignatureInvalid
from gateway.message import Part, Payload
from gateway.security.algorithms import (
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
from gateway.security.xenc import decrypt_part, encrypt_part
from gateway.wire import xml
from gateway.wire.ebms2.header import user_message
from tests.pki import leaf
from tests.sealing import (
    ALICE,
    BOB,
    DOCUMENT,
    agreement,
    carried,
    header,
    keys,
    last_octet_changed,
    load_key,
    octets_from,
    open_wire,
    payload,
    signing,
)

CANONICALIZATIONS = [C14N_EXCLUSIVE, C14N_INCLUSIVE]
PARTS = {"payload-1@alice.example": DOCUMENT}


@dataclass(frozen=True)
class Peer:
    """The Java process and a folder to exchange files in."""

    process: "subprocess.Popen[str]"
    folder: Path

    def __call__(self, *words: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer, "the Java peer has ended"
        return answer

    def file(self, name: str, octets: bytes | None = None) -> str:
        path = self.folder / name
        if octets is not None:
            path.write_bytes(octets)
        return str(path)

    def verify(self, envelope: bytes, parts: Mapping[str, bytes] = PARTS) -> str:
        words = ["verify", self.file("envelope.xml", envelope)]
        words.append(self.file("sign.der", leaf(ALICE, "sign").certificate))
        return self(*words, *self._parts(parts))

    def sign(
        self, envelope: bytes, canonicalization: str, algorithm: str, parts: Mapping[str, bytes]
    ) -> bytes:
        mine = leaf(ALICE, "sign")
        answer = self(
            "sign",
            self.file("envelope.xml", envelope),
            self.file("sign.pk8", pkcs8(mine.key)),
            self.file("sign.der", mine.certificate),
            self.file("signed.xml"),
            canonicalization,
            algorithm,
            *self._parts(parts),
        )
        assert answer == "ok"
        return Path(self.file("signed.xml")).read_bytes()

    def sign_document(self, document: bytes, algorithm: str) -> bytes:
        mine = leaf(ALICE, "sign")
        answer = self(
            "sign-document",
            self.file("document.xml", document),
            self.file("sign.pk8", pkcs8(mine.key)),
            self.file("sign.der", mine.certificate),
            self.file("signed.xml"),
            algorithm,
        )
        assert answer == "ok"
        return Path(self.file("signed.xml")).read_bytes()

    def encrypt(self, octets: bytes, spelling: str) -> Part:
        answer = self(
            "encrypt",
            self.file("plain", octets),
            self.file("encrypt.der", leaf(BOB, "encrypt").certificate),
            self.file("part.xml"),
            spelling,
        )
        assert answer == "ok"
        cipher = Path(self.file("part.xml")).read_bytes()
        return Part("payload-1@alice.example", "application/xml", cipher)

    def decrypt(self, part: Part) -> str:
        key = self.file("encrypt.pk8", pkcs8(leaf(BOB, "encrypt").key))
        return self("decrypt", self.file("part.xml", part.octets), key, self.file("plain"))

    def _parts(self, parts: Mapping[str, bytes]) -> list[str]:
        files = (self.file(f"part{n}", octets) for n, octets in enumerate(parts.values()))
        return [f"{cid}={file}" for cid, file in zip(parts, files, strict=True)]


def pkcs8(pem: bytes) -> bytes:
    return load_key(pem).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
def peer(tmp_path_factory) -> Iterator[Peer]:
    source = Path(__file__).with_name("Peer.java")
    with subprocess.Popen(
        ["java", str(source)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Peer(process, tmp_path_factory.mktemp("java"))
        assert process.stdin is not None
        process.stdin.close()


def unsigned(**changes) -> bytes:
    return serialize(user_message(header(agreement("osb-rm-s"), **changes), tuple(PARTS)))


def signed(canonicalization: str, octets: bytes, **changes) -> bytes:
    return sign_envelope(
        xml.parse(octets),
        PARTS,
        signing=signing(**changes),
        signer=keys().signer(signing().certificate),
        canonicalization=canonicalization,
    ).envelope


def pretty(octets: bytes) -> bytes:
    return octets.replace(b"><", b">\n  <")


# --- signatures -----------------------------------------------------------------------


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
@pytest.mark.parametrize("shape", [bytes, pretty])
def test_java_verifies_what_we_sign(peer, canonicalization, algorithm, shape):
    envelope = signed(canonicalization, shape(unsigned()), signature_algorithm=algorithm)

    assert peer.verify(envelope) == "ok  cid:payload-1@alice.example"


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
@pytest.mark.parametrize("shape", [bytes, pretty])
def test_we_verify_what_java_signs(peer, canonicalization, algorithm, shape):
    envelope = peer.sign(shape(unsigned()), canonicalization, algorithm, PARTS)

    verified = verify_envelope(
        xml.parse(envelope),
        PARTS,
        policy=DIGIKOPPELING,
        certificates=(signing().certificate,),
    )

    assert [r.uri for r in verified.references] == ["", "cid:payload-1@alice.example"]


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
def test_both_leave_sync_reply_out_of_the_signature(peer, canonicalization):
    envelope = unsigned(sync_reply=True)
    ours = signed(canonicalization, envelope)
    theirs = peer.sign(envelope, canonicalization, RSA_SHA256, PARTS)
    cut = re.compile(rb"<eb:SyncReply[^>]*/>")

    for octets in (ours, theirs):
        without, found = cut.subn(b"", octets)
        assert found == 1
        assert peer.verify(without).startswith("ok")
        assert verify_envelope(
            xml.parse(without),
            PARTS,
            policy=DIGIKOPPELING,
            certificates=(signing().certificate,),
        )


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
def test_java_rejects_what_was_changed(peer, canonicalization):
    envelope = signed(canonicalization, unsigned())
    other = {"payload-1@alice.example": DOCUMENT + b" "}

    assert peer.verify(envelope, other) == "no digest"
    assert peer.verify(envelope.replace(b"message-1@", b"message-2@")) == "no digest"
    assert peer.verify(envelope.replace(b"#sha256", b"#sha512", 1)) == "no value"


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"message-1@", b"message-2@", "signature.digest"),
        (b"xmlenc#sha256", b"xmlenc#sha512", "signature.value"),
        (b"<ds:XPath", b"<ds:XPath xml:lang='nl'", "signature.value"),
    ],
)
def test_we_reject_what_was_changed(peer, canonicalization, old, new, code):
    envelope = peer.sign(unsigned(), canonicalization, RSA_SHA256, PARTS)

    with pytest.raises(SignatureInvalid) as refused:
        verify_envelope(
            xml.parse(envelope.replace(old, new, 1)),
            PARTS,
            policy=DIGIKOPPELING,
            certificates=(signing().certificate,),
        )

    assert refused.value.code == code


NAMES = st.sampled_from(["e", "p:e", "S12:e"])
SPACES = st.sampled_from(["urn:1", "urn:2"])
TEXTS = st.sampled_from(["", " ", "é", "&amp;&lt;", "&#13;\n", "<!-- c -->", "\U0001f600"])


@st.composite
def elements(draw, depth=3):
    """Elements with default and other namespaces, declared again or inherited, and xml:*."""
    name = draw(NAMES)
    prefix = name.partition(":")[0] if ":" in name else ""
    declared = f'xmlns:{prefix}="{draw(SPACES)}"' if prefix else f'xmlns="{draw(SPACES)}"'
    extra = draw(st.sampled_from(["", 'xml:lang="nl"', 'b="&quot;&#9;" a="2"', 'xmlns:q="urn:q"']))
    inner = "".join(draw(st.lists(elements(depth=depth - 1), max_size=2))) if depth else ""
    return f"<{name} {declared} {extra}>{draw(TEXTS)}{inner}</{name}>{draw(TEXTS)}"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(elements(), st.sampled_from(CANONICALIZATIONS), st.booleans())
def test_canonical_forms_are_the_same_for_any_extension(peer, extension, canonicalization, ours):
    octets = unsigned().replace(b"</soap:Header>", extension.encode() + b"</soap:Header>")
    if ours:
        assert peer.verify(signed(canonicalization, octets)).startswith("ok")
        return
    envelope = peer.sign(octets, canonicalization, RSA_SHA256, PARTS)
    assert verify_envelope(
        xml.parse(envelope),
        PARTS,
        policy=DIGIKOPPELING,
        certificates=(signing().certificate,),
    )


# --- a signature inside its document --------------------------------------------------

DECISION = (
    '<?xml version="1.0"?>\r\n<b:besluit xmlns:b="urn:b" xmlns:q="urn:q" xml:lang="nl">'
    '<b:uitkomst a="&quot;&#9;">Zoë &amp; co\n</b:uitkomst><x xmlns="urn:x"/></b:besluit>'
).encode()


def sealed(document: bytes, **changes) -> bytes:
    mine = signing(**changes)
    return sign_document(document, signer=keys().signer(mine.certificate), signing=mine)


@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
@pytest.mark.parametrize("shape", [bytes, pretty])
def test_java_verifies_the_document_that_we_sign(peer, algorithm, shape):
    made = sealed(shape(DECISION), signature_algorithm=algorithm)

    assert peer.verify(made, {}) == "ok"
    assert peer.verify(made.replace(b"co\n", b"c\n"), {}) == "no digest"


@pytest.mark.parametrize("algorithm", [RSA_SHA256, RSA_SHA512])
@pytest.mark.parametrize("shape", [bytes, pretty])
def test_we_verify_the_document_that_java_signs(peer, algorithm, shape):
    made = peer.sign_document(shape(DECISION), algorithm)

    assert verify_document(made).certificate == signing().certificate
    with pytest.raises(SignatureInvalid) as refused:
        verify_document(made.replace(b"co\n", b"c\n"))
    assert refused.value.code == "toets.signature.digest"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(elements(), st.booleans())
def test_any_signed_document_is_the_same_for_both(peer, element, ours):
    document = f"<root>{re.sub('<!--.*?-->', '', element)}</root>".encode()
    if ours:
        assert peer.verify(sealed(document), {}).startswith("ok")
    else:
        assert verify_document(peer.sign_document(document, RSA_SHA256))


# --- encryption -----------------------------------------------------------------------


def encrypted(octets: bytes) -> Part:
    return encrypt_part(
        Payload(content_id="payload-1@alice.example", octets=octets),
        Encryption(algorithm=AES256_GCM, certificate=leaf(BOB, "encrypt").certificate),
        media_type="application/xml",
        random=octets_from(),
    )


@pytest.mark.parametrize("octets", [DOCUMENT, b"", bytes(range(256)) * 50])
def test_java_decrypts_what_we_encrypt(peer, octets):
    assert peer.decrypt(encrypted(octets)) == f"ok {AES256_GCM}"
    assert Path(peer.file("plain")).read_bytes() == octets


@pytest.mark.parametrize("spelling", ["old", "new"])
@pytest.mark.parametrize("octets", [DOCUMENT, b"", bytes(range(256)) * 50])
def test_we_decrypt_what_java_encrypts(peer, octets, spelling):
    part = peer.encrypt(octets, spelling)

    decrypter = keys().decrypter(leaf(BOB, "encrypt").certificate)

    assert decrypt_part(part, decrypter, policy=DIGIKOPPELING).octets == octets


def test_both_reject_a_changed_cipher(peer):
    assert peer.decrypt(last_octet_changed(encrypted(DOCUMENT))).startswith("no AEADBadTag")

    with pytest.raises(DecryptionFailed) as refused:
        decrypt_part(
            last_octet_changed(peer.encrypt(DOCUMENT, "new")),
            keys().decrypter(leaf(BOB, "encrypt").certificate),
            policy=DIGIKOPPELING,
        )
    assert refused.value.code == "decryption.failed"


# --- a whole message ------------------------------------------------------------------


@pytest.mark.parametrize("canonicalization", CANONICALIZATIONS)
def test_message_of_java_opens_here(peer, canonicalization):
    agreed = agreement("osb-rm-s")
    envelope = peer.sign(unsigned(), canonicalization, RSA_SHA256, PARTS)

    opened = open_wire(carried(envelope), agreed)

    assert opened.payloads == (payload(),)
    assert opened.signer is not None
    assert opened.signer.oin == ALICE
