"""Signatures as Standard Webhooks says, against values that others computed."""

import subprocess
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Misconfigured
from gateway.security.webhook import read_secret, sign, write_secret

# The example of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_example_of_the_specification_is_signed_as_it_says():
    secret = read_secret(SECRET, where="")

    assert sign((secret,), id_=ID, at=AT, body=BODY) == SIGNATURE


def test_openssl_computes_the_same():
    key, body = bytes(range(32)), '{"type":"bericht.status","data":"é"}'.encode()
    content = b"msg_1.1700000000." + body
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"],
        input=content,
        capture_output=True,
        check=True,
    )

    signature = sign((key,), id_="msg_1", at=1700000000, body=body)

    assert signature == f"v1,{b64encode(done.stdout).decode()}"


def test_while_a_secret_is_replaced_both_sign():
    old, new = bytes(24), bytes(range(24))

    both = sign((new, old), id_=ID, at=AT, body=BODY).split(" ")

    assert both == [sign((one,), id_=ID, at=AT, body=BODY) for one in (new, old)]


def test_without_a_secret_nothing_is_signed():
    with pytest.raises(Misconfigured) as refused:
        sign((), id_=ID, at=AT, body=BODY)

    assert refused.value.code == "webhook.secret"


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_is_read_as_it_was_written(octets):
    assert read_secret(write_secret(octets) + "\n", where="") == octets


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        write_secret(bytes(23)),
        write_secret(bytes(65)),
        write_secret(bytes(32)).removeprefix("whsec_"),
        "whsec_ABC!",
        "whsec_" + "é" * 32,
        "WHSEC_" + write_secret(bytes(32)).removeprefix("whsec_"),
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(text):
    with pytest.raises(Misconfigured) as refused:
        read_secret(text, where="a/file")

    assert refused.value.code == "webhook.secret"
    assert len(text) < 7 or text not in str(refused.value)
    assert "a/file" in str(refused.value)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=60))
def test_any_changed_octet_changes_the_signature(n, body):
    at = n % len(body)
    changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    secret = (bytes(32),)

    assert sign(secret, id_=ID, at=AT, body=body) != sign(secret, id_=ID, at=AT, body=changed)
    assert sign(secret, id_=ID, at=AT, body=body) != sign(secret, id_=ID, at=AT + 1, body=body)
