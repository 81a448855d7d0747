"""Mail that must not come in, each with the code by which it is refused; and mail that may."""

import gzip
import io
import zipfile
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import CertificateRejected, GatewayError
from gateway.security.certificates import TrustStore
from gateway.security.smime import Encryption, MailLimits, open_mail
from gateway.security.smime.der import OCTET_STRING, SEQUENCE, encode, oid, tagged
from gateway.security.smime.signed import sign
from gateway.wire.mail_make import entity
from gateway.wire.mail_read import entities, read_entity
from tests.pki import AT, KNOOPPUNT, OM, POLITIE, expired, leaf, pki, revoked
from tests.smime import (
    ALICE_ADDRESS,
    BOB_ADDRESS,
    CURVES,
    alice,
    document,
    envelope,
    mail_around,
    mail_of,
    mail_with,
    mailbox,
    opened,
    rsa_signer,
    sealed,
    signed_around,
    to,
)

CBC = Encryption.UNSAFE_CBC
TEXT = b"Content-Type: text/plain\r\n\r\nGoedemiddag.\r\n"
XML = entity({}, document(), kind="application/xml", name="bericht.xml")
HTML = b'Content-Type: text/html\r\n\r\n<img src="https://eve.example/'


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "grens", head: str = "") -> bytes:
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
    top = f'{head}Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    return top.encode() + lines + f"--{boundary}--\r\n".encode()


def outside(body: bytes) -> bytes:
    """Return a mail of Alice that is this entity, sealed or not."""
    return f"From: {ALICE_ADDRESS}\r\nTo: {BOB_ADDRESS}\r\n".encode() + body


def sealed_entity(content: bytes) -> bytes:
    return entity({}, envelope(content), kind="application/pkcs7-mime")


def signed_by(found, at=AT) -> bytes:
    return mail_around(signed_around(XML, found, at=at))


def clear_signed(content: bytes = XML, signed: bytes | None = None, **given) -> bytes:
    """Return a mail whose envelope holds multipart/signed, as most programs make it."""
    signature = detached(content if signed is None else signed)
    apart = entity({}, signature, kind=given.pop("kind", "application/pkcs7-signature"))
    return mail_around(multipart(content, apart, *given.get("more", ()), kind="signed"))


def detached(content: bytes) -> bytes:
    """Return our signature with the content left out."""
    plain = encode(SEQUENCE, oid("1.2.840.113549.1.7.1"))
    inside = encode(
        SEQUENCE,
        oid("1.2.840.113549.1.7.1"),
        encode(tagged(0), encode(OCTET_STRING, content)),
    )
    whole = sign(content, rsa_signer(), at=AT)
    return again(whole.replace(inside, plain))


def again(octets: bytes) -> bytes:
    """Return the elements of a ContentInfo around a shorter SignedData with lengths that fit."""
    start = octets.index(oid("1.2.840.113549.1.7.2")) + len(oid("1.2.840.113549.1.7.2"))
    tag0 = octets[start:]
    signed = tag0[header_size(tag0) :]
    body = signed[header_size(signed) :]
    return encode(SEQUENCE, oid("1.2.840.113549.1.7.2"), encode(tagged(0), encode(SEQUENCE, body)))


def header_size(octets: bytes) -> int:
    return 2 if octets[1] < 0x80 else 2 + (octets[1] & 0x7F)


def directed(**changes: str) -> bytes:
    head = {"From": ALICE_ADDRESS, "To": BOB_ADDRESS, "Message-ID": "<een@politie.example>"}
    return mail_with(entity(head | changes, document(), kind="application/xml"))


def cbc(flip: int) -> bytes:
    """Return a mail for a partner with the exception, one octet of it changed."""
    octets = bytearray(envelope(signed_around(XML), CBC))
    octets[flip] ^= 1
    return mail_of(bytes(octets))


def gadget() -> bytes:
    """A first block that was made to begin an image, and what was there behind it (EFAIL)."""
    return mail_of(envelope(HTML + signed_around(XML), CBC))


def compressed(content: bytes) -> bytes:
    return entity(
        {},
        encode(SEQUENCE, oid("1.2.840.113549.1.9.16.1.9"), encode(tagged(0), content)),
        kind="application/pkcs7-mime; smime-type=compressed-data",
    )


def bomb(depth: int) -> bytes:
    inner = TEXT
    for number in range(depth):
        inner = multipart(inner, boundary=f"{number}.grens")
    return inner


def many(parts: int) -> bytes:
    return multipart(*(TEXT for _ in range(parts)))


UNSAFE = mailbox(alice(encryption=CBC))
NAMED = mailbox(alice(named=True))

HOSTILE = {
    # what stands beside an envelope
    "efail_image_around_the_envelope": (
        "smime.unsealed",
        lambda: outside(multipart(HTML, sealed_entity(signed_around(XML)), TEXT)),
    ),
    "footer_of_a_list": (
        "smime.unsealed",
        lambda: outside(multipart(sealed_entity(signed_around(XML)), TEXT)),
    ),
    "not_encrypted": ("smime.unsealed", lambda: outside(TEXT)),
    "signed_only": ("decryption.failed", lambda: outside(signed_around(XML))),
    "signed_only_in_the_clear": (
        "smime.unsealed",
        lambda: outside(multipart(XML, TEXT, kind="signed")),
    ),
    "signature_around_the_envelope": (
        "decryption.failed",
        lambda: outside(signed_around(sealed_entity(XML))),
    ),
    # what an envelope holds beside a signature
    "unsigned": ("smime.unsigned", lambda: mail_around(XML)),
    "unsigned_wrapper": ("smime.unsigned", lambda: mail_around(multipart(signed_around(XML)))),
    "unsigned_text_before_the_signature": (
        "smime.unsigned",
        lambda: mail_around(multipart(TEXT, signed_around(XML))),
    ),
    "envelope_in_an_envelope": (
        "signature.form",
        lambda: mail_around(sealed_entity(signed_around(XML))),
    ),
    "compressed": ("signature.form", lambda: mail_around(compressed(b""))),
    "signed_in_the_clear_and_changed": (
        "signature.digest",
        lambda: clear_signed(signed=XML + b"\r\n"),
    ),
    "third_part_beside_the_signature": ("signature.form", lambda: clear_signed(more=(TEXT,))),
    "signature_of_another_kind": (
        "signature.form",
        lambda: clear_signed(kind="application/pgp-signature"),
    ),
    # who signed
    "unknown_sender": ("smime.sender", lambda: mail_with(XML, From="eve@politie.example")),
    "no_sender": ("smime.sender", lambda: mail_with(XML, From="")),
    "two_senders": (
        "smime.sender",
        lambda: mail_with(XML, From=f"{ALICE_ADDRESS}, eve@x.example"),
    ),
    "sender_in_the_name_only": (
        "smime.sender",
        lambda: mail_with(XML, From=f'"{ALICE_ADDRESS}" <eve@x.example>'),
    ),
    "two_from_fields": (
        "smime.field",
        lambda: f"From: {ALICE_ADDRESS}\r\n".encode() + mail_with(XML),
    ),
    "other_certificate": ("signature.certificate", lambda: signed_by(leaf(KNOOPPUNT, "sign"))),
    "certificate_of_another_authority": (
        "signature.certificate",
        lambda: signed_by(leaf(OM, "sign")),
    ),
    "signed_in_the_future": (
        "smime.signing_time",
        lambda: signed_by(leaf(POLITIE, "sign"), at=AT + timedelta(minutes=6)),
    ),
    # what was signed
    "nested_signature": ("smime.nested", lambda: mail_with(signed_around(XML))),
    "nested_signature_in_a_part": (
        "smime.nested",
        lambda: mail_with(multipart(TEXT, signed_around(XML))),
    ),
    "nested_signature_in_the_clear": (
        "smime.nested",
        lambda: mail_with(multipart(XML, TEXT, kind="signed")),
    ),
    "nested_envelope": ("smime.nested", lambda: mail_with(sealed_entity(XML))),
    "pgp_inside": ("smime.nested", lambda: mail_with(multipart(TEXT, kind="encrypted"))),
    "for_another": ("smime.misdirected", lambda: directed(To="eve@x.example")),
    "as_another": ("smime.misdirected", lambda: directed(From="eve@x.example")),
    "for_nobody": ("smime.misdirected", lambda: directed(To="")),
    "recipient_that_does_not_end": (
        "smime.misdirected",
        lambda: mail_with(b"From: a\r\nTo: %b\r\nMessage-ID: <1@x>\r\n\r\n" % (b"a" * 65_000)),
    ),
    "signed_without_id": ("smime.misdirected", lambda: directed(**{"Message-ID": ""})),
    # MIME
    "too_deep": ("smime.parts", lambda: mail_with(bomb(9))),
    "too_many_parts": ("smime.parts", lambda: mail_with(many(101))),
    "boundary_missing": (
        "mime.boundary",
        lambda: mail_with(b"Content-Type: multipart/mixed\r\n\r\nx"),
    ),
    "no_end": ("mime.boundary", lambda: mail_with(multipart(TEXT)[:-12])),
    "two_types": ("smime.field", lambda: mail_with(b"Content-Type: text/html\r\n" + TEXT)),
    "type_that_is_none": ("mime.content_type", lambda: mail_with(b"Content-Type: xml\r\n\r\nx")),
    "bare_line_ends": ("smime.head", lambda: mail_with(TEXT.replace(b"\r\n", b"\n"))),
    "nul_in_the_head": ("smime.head", lambda: mail_with(b"A: \0\r\n" + TEXT)),
    "head_without_end": ("smime.head", lambda: mail_with(b"A: b\r\n" * 20)),
    "head_too_long": ("smime.head", lambda: b"A: %b\r\n" % (b"x" * 66_000) + sealed().octets),
    "too_many_fields": ("smime.head", lambda: b"Received: x\r\n" * 500 + sealed().octets),
    "line_that_is_no_field": ("smime.head", lambda: b"vandaag\r\n" + sealed().octets),
    "base64_that_is_none": (
        "mime.transfer_encoding",
        lambda: mail_with(b"Content-Transfer-Encoding: base64\r\n\r\n!!!!"),
    ),
    "encoding_of_its_own": (
        "mime.transfer_encoding",
        lambda: mail_with(b"Content-Transfer-Encoding: x-gzip\r\n\r\nx"),
    ),
    "encoded_multipart": (
        "mime.transfer_encoding",
        lambda: mail_with(b"Content-Transfer-Encoding: base64\r\n" + multipart(TEXT)),
    ),
    "empty": ("smime.head", lambda: b""),
    "oversize": ("smime.too_large", lambda: b"A: b\r\n\r\n" + bytes(MailLimits().octets)),
}


def code_of(octets: bytes, box=None, **given) -> str:
    with pytest.raises(GatewayError) as caught:
        opened(octets, box, **given)
    return caught.value.code


@pytest.mark.parametrize("case", HOSTILE)
def test_refused(case):
    code, build = HOSTILE[case]

    assert code_of(build()) == code


@pytest.mark.parametrize("case", HOSTILE)
def test_a_partner_with_the_exception_may_do_no_more(case):
    """And who changed the cipher text is not told what came of it."""
    code, build = HOSTILE[case]
    hidden = code.startswith("signature.") or code == "smime.unsigned"

    assert code_of(build(), UNSAFE) == ("decryption.failed" if hidden else code)


@pytest.mark.parametrize("flip", [-1, -17, -400])
def test_cbc_that_was_changed_is_one_failure(flip):
    assert code_of(cbc(flip), UNSAFE) == "decryption.failed"


def test_a_gadget_of_efail_is_one_failure():
    assert code_of(gadget(), UNSAFE) == "decryption.failed"


def test_cbc_is_for_the_partner_that_has_it():
    mail = sealed(to=to(encryption=CBC)).octets

    assert opened(mail, UNSAFE).payloads == (document(),)
    assert code_of(mail) == "decryption.failed"


def test_a_certificate_that_is_over_does_not_count():
    found = expired("sign")
    box = mailbox(alice(certificates=(found.certificate,)))

    assert code_of(signed_by(found), box) == "certificate.expired"


def test_a_certificate_that_was_revoked_does_not_count():
    found, theirs = revoked("sign")
    box = mailbox(alice(certificates=(found.certificate,)))

    with pytest.raises(CertificateRejected) as caught:
        open_mail(signed_by(found), box, trust=TrustStore(theirs), at=AT)

    assert caught.value.code == "certificate.revoked"


def test_a_partner_without_certificates_signs_nothing():
    assert code_of(sealed().octets, mailbox(alice(certificates=()))) == "signature.certificate"


def test_the_address_counts_where_that_is_agreed():
    found = pki().issue(
        oin=POLITIE,
        name="TEST Politie",
        usage="sign",
        curve=CURVES["P-256"],
        addresses=("Gateway@politie.example",),
    )
    certificates = (found.certificate,)

    assert opened(signed_by(found), mailbox(alice(named=True, certificates=certificates)))
    assert code_of(sealed().octets, NAMED) == "smime.address"


# --- what may come in ----------------------------------------------------------------------


def test_a_mail_of_another_program_is_read():
    found = opened(mail_with(multipart(TEXT, XML), Message_ID="<1@x.example>"))

    assert found.payloads == (document(),)
    assert found.text == "Goedemiddag.\r\n"
    assert not found.protected
    assert found.message_id == "1@x.example"


def test_a_mail_signed_in_the_clear_is_read():
    assert opened(clear_signed()).payloads == (document(),)


def test_a_forwarding_server_may_add_its_fields():
    octets = b"Received: from a\r\n by b\r\nReceived: from b\r\n" + sealed().octets

    assert opened(octets).payloads == (document(),)


def test_copies_are_for_us_too():
    assert opened(directed(To="iemand@x.example", Cc=f"B <{BOB_ADDRESS.upper()}>")).protected


def zip_bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bericht.xml", bytes(10_000_000))
    return made.getvalue()


@pytest.mark.parametrize("kind", ["application/zip", "application/gzip", "message/rfc822"])
def test_what_holds_more_is_never_unpacked(kind):
    octets = gzip.compress(bytes(1_000_000)) if kind.endswith("gzip") else zip_bomb()
    found = opened(mail_with(multipart(TEXT, entity({}, octets, kind=kind, name="a.zip"))))

    (attached,) = found.attachments
    assert (attached.kind, attached.octets, attached.name) == (kind, octets, "a.zip")
    assert found.payloads == ()


def test_a_content_encoding_changes_nothing():
    octets = b"Content-Encoding: gzip\r\nContent-Type: application/xml\r\n\r\n" + b"\x1f\x8b"

    assert opened(mail_with(octets)).payloads == (b"\x1f\x8b",)


def test_what_is_no_xml_is_for_a_person():
    hidden = b"Content-Type: text/html\r\nContent-Disposition: attachment\r\n\r\n<b>"
    second = b"Content-Type: text/plain\r\n\r\nNog iets.\r\n"
    found = opened(mail_with(multipart(TEXT, hidden, second)))

    assert found.text == "Goedemiddag.\r\n"
    assert [one.kind for one in found.attachments] == ["text/html", "text/plain"]


def test_html_is_never_the_text():
    assert opened(mail_with(b"Content-Type: text/html\r\n\r\n<b>x</b>")).text == ""


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('Content-Disposition: attachment; filename="../../etc/passwd"', ".._.._etc_passwd"),
        ("Content-Disposition: attachment; filename=a.pdf", "a.pdf"),
        ('Content-Type: application/pdf; name="b.pdf"', "b.pdf"),
        ('Content-Disposition: attachment; filename="<script>"', "_script_"),
        ("Content-Disposition: ;;", ""),
        (f'Content-Disposition: attachment; filename="{"x" * 300}"', "x" * 100),
    ],
)
def test_a_name_of_an_attachment_is_harmless(head, name):
    kind = "" if "Type" in head else "Content-Type: application/pdf\r\n"
    found = opened(mail_with(f"{kind}{head}\r\n\r\nx".encode()))

    assert found.attachments[0].name == name


@pytest.mark.parametrize(
    ("charset", "octets"),
    [("utf-8", "é".encode()), ("iso-8859-1", b"\xe9"), ("windows-1252", b"\xe9")],
)
def test_a_text_is_read_by_its_charset(charset, octets):
    head = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()

    assert opened(mail_with(head + octets)).text == "é"


def test_a_charset_that_is_not_known_harms_nobody():
    found = opened(mail_with(b"Content-Type: text/plain; charset=utf-7\r\n\r\n+ADw-script"))

    assert found.text == "+ADw-script"


def test_quoted_printable_is_read():
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "

    assert opened(mail_with(head + b"quoted-printable\r\n\r\n=C3=A9n=\r\n")).text == "én"


# --- whatever comes ------------------------------------------------------------------------


@settings(deadline=None)
@given(st.data())
def test_a_mail_with_a_flipped_bit_is_refused_or_says_the_same(data):
    mail = bytearray(MAIL)
    mail[data.draw(st.integers(0, len(mail) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    try:
        found = opened(bytes(mail))
    except GatewayError:
        return
    assert found == EXPECTED


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_garbage_gives_our_error(garbage):
    code_of(garbage)
    code_of(outside(garbage))
    code_of(mail_of(garbage))
    code_of(mail_around(garbage))


PIECES = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"--grens", b"--", b": ", b"=", b'"', b";", b" ", b"\0", b"\xff"),
        *(b"Content-Type", b"text/plain", b"multipart/mixed; boundary=grens", b"base64"),
        *(b"Content-Transfer-Encoding", b"quoted-printable", b"multipart/signed", b"=3D"),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_what_was_signed_is_read_or_refused(pieces):
    octets = b"".join(pieces)

    try:
        for one in entities(read_entity(octets, limits=MailLimits()), limits=MailLimits()):
            assert len(one.decoded()) <= len(octets)
    except GatewayError:
        return


MAIL = sealed().octets
EXPECTED = opened(MAIL)
