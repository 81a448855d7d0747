"""A mail is made of what was released and read by whom it is for; and what it never says."""

import re
from dataclasses import replace
from email import message_from_bytes, policy
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.directory import Condition
from gateway.errors import (
    CertificateRejected,
    GatewayError,
    IllegalTransition,
    PolicyViolation,
    TooLarge,
)
from gateway.rules import approval
from gateway.security.smime import Encryption, message_id_of
from tests.pki import AT, KNOOPPUNT, POLITIE, expired, leaf
from tests.smime import (
    ALICE_ADDRESS,
    BOB_ADDRESS,
    alice,
    bob,
    document,
    draft,
    mailbox,
    on_curve,
    opened,
    sealed,
    signer_of,
    to,
)

HEADER = ("X-NTA7516", "1")


def outside(octets: bytes) -> dict[str, str]:
    """Return the fields as another program reads them."""
    return dict(message_from_bytes(octets, policy=policy.SMTP).items())


# --- there and back -----------------------------------------------------------------------


def test_the_payload_arrives_octet_by_octet_with_all_that_was_signed():
    mail = sealed(draft(in_reply_to="vraag-1@veiligthuis.example"))

    found = opened(mail.octets)

    assert found.payloads == (document(),)
    assert found.attachments == ()
    assert found.party == POLITIE
    assert found.holder.serial_number == POLITIE
    assert found.message_id == mail.message_id
    assert found.in_reply_to == "vraag-1@veiligthuis.example"
    assert found.ebms_message_id == "message-1@alice.example"
    assert found.signed_at == AT
    assert found.protected


@pytest.mark.parametrize("encryption", Encryption)
@pytest.mark.parametrize("kind", ["RSA", "P-256"])
def test_every_kind_of_recipient_reads_it(kind, encryption):
    found = bob() if kind == "RSA" else on_curve(KNOOPPUNT, "encrypt")
    mail = sealed(to=to(found, encryption=encryption))

    box = mailbox(alice(encryption=encryption), keys=(found,))

    assert opened(mail.octets, box).payloads == (document(),)


def test_each_mailbox_behind_the_address_reads_it():
    other = on_curve(KNOOPPUNT, "encrypt")
    mail = sealed(to=to(bob(), other))

    for found in (bob(), other):
        assert opened(mail.octets, mailbox(keys=(found,))).payloads == (document(),)


def test_a_key_on_a_curve_signs():
    found = on_curve(POLITIE, "sign")
    mail = sealed(signer=signer_of(found))

    assert opened(mail.octets, mailbox(alice(certificates=(found.certificate,)))).protected


def test_a_person_reads_the_message_with_what_must_be_known():
    condition = Condition(code="x", text="Alleen voor <de> behandelaar.")
    released = approval.own(sha256(document()).hexdigest())
    mail = sealed(
        draft(twice=True, sentences=("Verzonden met onverwijlde spoed.",)),
        released=replace(released, conditions=(condition,)),
    )

    text = opened(mail.octets).text

    assert text.startswith("Melding aan Veilig Thuis\r\n")
    assert "Mogelijk dubbel" in text
    assert "Verzonden met onverwijlde spoed." in text
    assert "Alleen voor <de> behandelaar." in text
    assert "Aanhouding: ja, ter plaatse" in text
    assert "\n" not in text.replace("\r\n", "")
    assert "Mogelijk dubbel" not in opened(sealed().octets).text


def html(mail) -> str:
    message = message_from_bytes(opened(mail.octets).content, policy=policy.SMTP)
    (found,) = [part for part in message.walk() if part.get_content_type() == "text/html"]
    return found.get_content()


def test_the_html_holds_text_only():
    hostile = '<script>alert(1)</script> " <img src="https://x.example/">'.replace("<", "&lt;")
    mail = sealed(draft(payload=document(hostile), title="A <b>", sentences=("<i>",)))

    found = html(mail)

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found
    assert set(re.findall(r"<(\w+)", found)) == {
        *("html", "head", "meta", "title", "body", "h1", "p", "ul", "li", "b")
    }
    assert re.findall(r"<\w+ [^>]*>", found) == ['<html lang="nl">', '<meta charset="utf-8">']


def test_what_it_says_comes_before_how_it_travels():
    text = opened(sealed().octets).text

    assert text.index("Melding\r\n") < text.index("Aanhouding: ") < text.index("Stuurgegevens")


def test_what_is_no_document_goes_as_it_is():
    mail = sealed(draft(payload=b"<anders/>"))

    assert opened(mail.octets).payloads == (b"<anders/>",)
    assert "het hele bericht staat in de bijlage" in opened(mail.octets).text


# --- on the outside -----------------------------------------------------------------------


def test_an_empty_attachment_leaves_the_mail_readable():
    found = opened(sealed(draft(payload=b"")).octets)

    assert found.payloads == (b"",)


def test_the_outside_says_nothing_of_the_message():
    mail = sealed(to=to(header=HEADER))

    assert outside(mail.octets) == {
        "From": ALICE_ADDRESS,
        "To": BOB_ADDRESS,
        "Date": "Tue, 24 Nov 2026 12:00:00 +0000",
        "Message-ID": f"<{mail.message_id}>",
        "Subject": f"Beveiligd bericht {mail.message_id[:12]}",
        "MIME-Version": "1.0",
        "Auto-Submitted": "auto-generated",
        "Disposition-Notification-To": ALICE_ADDRESS,
        "X-NTA7516": "1",
        "Content-Type": 'application/pkcs7-mime; smime-type="authEnveloped-data"; name="smime.p7m"',
        "Content-Transfer-Encoding": "base64",
        "Content-Disposition": 'attachment; filename="smime.p7m"',
    }
    for word in (b"message-1", b"Melding", b"alice.example"):
        assert word not in mail.octets


def test_a_partner_without_a_header_gets_none():
    assert "X-NTA7516" not in outside(sealed().octets)


def test_the_message_id_follows_from_the_message_and_the_recipient():
    mail = sealed()

    known = message_id_of(
        "message-1@alice.example", recipient=BOB_ADDRESS.upper(), domain="politie.example"
    )

    assert mail.message_id == known
    assert sealed(draft(ebms_message_id="message-2@alice.example")).message_id != known


def test_lines_are_those_of_smtp():
    octets = sealed().octets

    assert octets.isascii()
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) < 255


NEWLINES = ("\r\n", "\n", "\r", "\0", "\x0b", "\x85", "\u2028")
FIELDS = {
    "sender": ALICE_ADDRESS,
    "recipient": BOB_ADDRESS,
    "ebms_message_id": "message-1@alice.example",
    "in_reply_to": "vraag-1@veiligthuis.example",
}


@pytest.mark.parametrize("newline", NEWLINES, ids=repr)
@pytest.mark.parametrize("name", FIELDS)
def test_no_field_begins_another(name, newline):
    with pytest.raises(PolicyViolation) as caught:
        sealed(draft(**{name: f"{FIELDS[name]}{newline}Bcc: x@y.example"}))

    assert caught.value.code == "smime.header"


@pytest.mark.parametrize(
    "header",
    [
        ("X-NTA\r\nBcc", "x@y.example"),
        ("X-NTA", "1\r\nBcc: x@y.example"),
        ("X-NTA", "1\n"),
        ("X-NTA", ""),
        ("X NTA", "1"),
        ("X-NTA:", "1"),
        ("", "1"),
        ("X-NTA", "é"),
        ("SUBJECT", "over Jan"),
        ("content-type", "text/html"),
        ("X-NTA", "x" * 201),
        ("bcc", "x@y.example"),
    ],
)
def test_a_header_of_the_partner_is_one_header(header):
    with pytest.raises(PolicyViolation) as caught:
        sealed(to=to(header=header))

    assert caught.value.code == "smime.header"


@pytest.mark.parametrize(
    "address",
    [
        *("", "bob", "bob@", "@x.example", "b@x@y.example", "<bob@x.example>", "b b@x.example"),
        *("bob@x.example, eve@y.example", "Bob <bob@x.example>", '"b"@x.example', "b@x..y"),
        *("bob@-x.example", "é@x.example", "bob@[127.0.0.1]", ".b@x.example", "b" * 65 + "@x.nl"),
    ],
)
def test_an_address_is_one_bare_address(address):
    for name in ("sender", "recipient"):
        with pytest.raises(PolicyViolation) as caught:
            sealed(draft(**{name: address}))

        assert caught.value.code == "smime.header"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_whatever_the_text_the_fields_are_ours(text):
    mail = None
    try:
        mail = sealed(draft(ebms_message_id=text, title=text, sentences=(text,)))
    except GatewayError as exc:
        assert exc.code == "smime.header"  # noqa: PT017 - either outcome is good
    if mail is not None:
        names = list(message_from_bytes(mail.octets, policy=policy.SMTP))
        assert len(names) == len(set(names)) == 11


# --- what does not leave ------------------------------------------------------------------


def no_dice(_size: int) -> bytes:
    raise AssertionError


def test_other_octets_than_the_released_ones_do_not_leave():
    with pytest.raises(IllegalTransition):
        sealed(draft(payload=document("iets anders")), released=approval.own("0" * 64))


@pytest.mark.parametrize("maximum", [100, 20_000, 34_000])
def test_what_is_too_large_does_not_leave(maximum):
    with pytest.raises(TooLarge) as caught:
        sealed(maximum=maximum)

    assert caught.value.code == "smime.too_large"


def test_the_bound_is_that_of_the_whole_mail():
    size = len(sealed().octets)

    assert sealed(maximum=size)
    with pytest.raises(TooLarge):
        sealed(maximum=size - 1)


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (lambda: expired("encrypt"), "expired"),
        (lambda: leaf(KNOOPPUNT, "sign"), "usage"),
        (lambda: leaf(KNOOPPUNT, "tls"), "usage"),
    ],
    ids=["expired", "for signing", "for TLS"],
)
def test_nobody_gets_it_by_a_certificate_that_does_not_count(certificate, code):
    with pytest.raises(CertificateRejected) as caught:
        sealed(to=to(bob(), certificate()), random=no_dice)

    assert caught.value.code == f"certificate.{code}"


def test_our_own_certificate_must_count_too():
    with pytest.raises(CertificateRejected) as caught:
        sealed(signer=signer_of(expired("sign")))

    assert caught.value.code == "certificate.expired"


def test_without_recipients_nothing_leaves():
    with pytest.raises(PolicyViolation) as caught:
        sealed(to=replace(to(), certificates=()))

    assert caught.value.code == "encryption.key"
