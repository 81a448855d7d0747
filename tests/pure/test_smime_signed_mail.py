"""Mail that is signed and not encrypted, as notices and answers of people are."""

from datetime import timedelta

import pytest

from gateway.errors import GatewayError
from gateway.security.smime import open_signed
from tests.pki import AT, KNOOPPUNT, leaf
from tests.pure.test_smime_vectors import TEXT, XML, detached, multipart, outside, sealed_entity
from tests.sealing import trust
from tests.smime import (
    ALICE_ADDRESS,
    BOB_ADDRESS,
    document,
    entity,
    mail_with,
    mailbox,
    opened,
    sealed,
    signed_around,
)

SIGNED_HEAD = {"From": ALICE_ADDRESS, "To": BOB_ADDRESS, "Message-ID": "<een@politie.example>"}


def read(octets: bytes, box=None):
    return open_signed(octets, box or mailbox(), trust=trust(), at=AT)


def in_the_clear(content: bytes, signed: bytes | None = None) -> bytes:
    signature = entity({}, detached(signed or content), kind="application/pkcs7-signature")
    return multipart(content, signature, kind="signed")


@pytest.mark.parametrize("form", [signed_around, in_the_clear], ids=["opaque", "in the clear"])
def test_what_a_partner_signed_is_read_without_an_envelope(form):
    found = read(outside(form(XML)))

    assert found.payloads == (document(),)
    assert found.holder.thumbprint
    assert not found.protected


HOSTILE = {
    "unsigned": ("smime.unsigned", lambda: outside(TEXT)),
    "text beside the signature": (
        "smime.unsigned",
        lambda: outside(multipart(signed_around(TEXT), TEXT)),
    ),
    "an envelope": ("signature.form", lambda: sealed().octets),
    "another content": (
        "signature.digest",
        lambda: outside(in_the_clear(TEXT, signed=TEXT + b"\r\n")),
    ),
    "another certificate": (
        "signature.certificate",
        lambda: outside(signed_around(TEXT, leaf(KNOOPPUNT, "sign"))),
    ),
    "of nobody": ("smime.sender", lambda: b"From: eve@x.example\r\n" + signed_around(TEXT)),
    "signed in the future": (
        "smime.signing_time",
        lambda: outside(signed_around(TEXT, at=AT + timedelta(minutes=6))),
    ),
    "an envelope inside": ("smime.nested", lambda: outside(signed_around(sealed_entity(TEXT)))),
    "for another": (
        "smime.misdirected",
        lambda: outside(
            signed_around(entity({**SIGNED_HEAD, "To": "eve@x.example"}, b"", kind="text/plain"))
        ),
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_it_is_as_strict_as_an_envelope(case):
    code, build = HOSTILE[case]
    with pytest.raises(GatewayError) as caught:
        read(build())

    assert caught.value.code == code


# --- what it answers --------------------------------------------------------------------


def answer(**fields: str) -> bytes:
    head = SIGNED_HEAD | {name.replace("_", "-"): value for name, value in fields.items()}
    return entity(head, b"Ontvangen.", kind="text/plain")


@pytest.mark.parametrize(
    ("fields", "answered"),
    [
        ({"In_Reply_To": "<twee@x>", "References": "<een@x> <drie@x>"}, "twee@x"),
        ({"References": "<een@x> <drie@x>"}, "drie@x"),
        ({"References": "een@x"}, ""),
        ({}, ""),
    ],
)
def test_it_answers_one_mail(fields, answered):
    assert read(outside(signed_around(answer(**fields)))).in_reply_to == answered


def test_what_was_signed_says_which_mail_is_answered():
    octets = mail_with(answer(In_Reply_To="<een@x>"), In_Reply_To="<twee@x>")

    assert opened(octets).in_reply_to == "een@x"


@pytest.mark.parametrize("said", ["auto-replied", "Auto-Generated; x=y"])
def test_what_a_program_says_by_itself_is_told_from_what_a_person_says(said):
    inside = outside(signed_around(answer(Auto_Submitted=said)))
    around = f"Auto-Submitted: {said}\r\n".encode() + outside(signed_around(answer()))

    assert read(inside).automatic
    assert read(around).automatic


@pytest.mark.parametrize("said", ["no", ""])
def test_a_person_may_say_so_too(said):
    assert not read(
        f"Auto-Submitted: {said}\r\n".encode() + outside(signed_around(answer()))
    ).automatic
