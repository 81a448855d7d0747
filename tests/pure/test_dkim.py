"""DKIM: what we sign, another program verifies; what was changed on the way, it does not."""

import re
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.security.dkim import FIELDS, DkimKey, signed_by

AT = datetime(2026, 11, 28, 9, tzinfo=UTC)
DOMAIN = "gateway.example"
RSA = DkimKey(domain=DOMAIN, selector="s2026", private=rsa.generate_private_key(65537, 2048))
ED25519 = DkimKey(domain=DOMAIN, selector="e2026", private=Ed25519PrivateKey.generate())
MAIL = (
    b"From: bericht@gateway.example\r\n"
    b"To: vt@partner.example\r\n"
    b"Subject: Beveiligd bericht\r\n  abc   def \r\n"
    b"Message-ID: <1@gateway.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"X-Nta7516: 1.0\r\n"
    b'Content-Type: application/pkcs7-mime;\r\n\tname="smime.p7m"\r\n'
    b"\r\n"
    b"QUJD\r\nREVG\r\n"
)
WHERE_AN_ANSWER_GOES = (b"Reply-To", b"Cc", b"Sender")


def in_dns(*keys):
    records = {f"{key.name}.": f"v=DKIM1; k={key.kind}; p={key.published}" for key in keys}
    return lambda name, timeout=5: records.get(name.decode(), "").encode()


def holds(mail, *keys):
    """Judge each signature, with what stands in DNS of the keys."""
    return [_holds(mail, n, in_dns(*keys)) for n in range(len(keys))]


def _holds(mail, n, dns):
    try:
        return dkim.DKIM(mail).verify(n, dnsfunc=dns)
    except dkim.DKIMException:
        return False


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("end", [b"", b"\r\n\r\n", b"meer\r\n \r\n"])
def test_another_program_verifies_it(key, end):
    assert holds(signed_by([key], MAIL + end, AT), key) == [True]


def test_each_key_signs():
    assert holds(signed_by([RSA, ED25519], MAIL, AT), RSA, ED25519) == [True, True]


def test_a_mail_without_a_body_is_signed():
    mail = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert holds(signed_by([RSA], mail, AT), RSA) == [True]


def test_servers_may_fold_and_add_their_own():
    signed = signed_by([RSA], MAIL, AT).replace(b"Subject: Beveiligd", b"Subject:\r\n Beveiligd")
    assert holds(b"Received: from a by b; nu\r\n" + signed, RSA) == [True]


@pytest.mark.parametrize(
    "change",
    [
        (b"QUJD", b"QUJE"),
        (b"Subject: Beveiligd", b"Subject: Onbeveiligd"),
        (b"From: bericht", b"From: ander"),
        (b"X-Nta7516: 1.0", b"X-Nta7516: 2.0"),
        *((b"From: ", b"%s: iets\r\nFrom: " % name) for name in WHERE_AN_ANSWER_GOES),
        *((b"From: ", b"%s: iets\r\nFrom: " % name.title().encode()) for name in FIELDS),
    ],
    ids=lambda change: change[1].decode(),
)
def test_what_was_changed_or_added_does_not_hold(change):
    signed = signed_by([RSA], MAIL, AT)
    assert change[0] in signed
    assert holds(signed.replace(*change, 1), RSA) == [False]


def test_another_key_does_not_hold():
    other = DkimKey(domain=DOMAIN, selector="s2026", private=ED25519.private)
    assert holds(signed_by([other], MAIL, AT), RSA) == [False]


def test_no_line_is_longer_than_a_mail_can_have():
    head = signed_by([RSA, ED25519], MAIL, AT).partition(b"From:")[0]
    assert max(map(len, head.split(b"\r\n"))) < 998
    assert re.findall(rb"a=([a-z0-9-]+);", head) == [b"rsa-sha256", b"ed25519-sha256"]
