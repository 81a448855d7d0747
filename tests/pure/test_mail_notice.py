"""The mail that says that a message waits at the portal: nothing of the message is in it."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from gateway.errors import PolicyViolation
from gateway.wire.mail_outside import SUBJECT, Outside, write_notice

AT = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
URL = "https://portaal.example"
OUTSIDE = Outside(
    sender="gateway@politie.example",
    recipient="post@vt.example",
    ebms_message_id="PL0000-2026000001@politie.example",
)


def test_it_says_where_and_nothing_else():
    mail = message_from_bytes(write_notice(OUTSIDE, URL, AT), policy=policy.default)

    assert mail.get_content_type() == "text/plain"
    assert mail["Subject"] == f"{SUBJECT} {OUTSIDE.reference}"
    assert set(mail.keys()) == {
        "From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Auto-Submitted",
        "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip
    text = mail.get_content()
    assert URL in text
    assert OUTSIDE.reference in text
    assert "PL0000" not in f"{mail}{text}"


def test_the_next_attempt_is_the_same_mail():
    first, second = (write_notice(OUTSIDE, URL, AT) for _ in range(2))

    assert first == second


def test_its_lines_fit_in_smtp():
    octets = write_notice(OUTSIDE, URL, AT)

    assert octets.endswith(b"\r\n")
    assert all(len(line) < 200 for line in octets.split(b"\r\n"))
    assert b"\n" not in octets.replace(b"\r\n", b"")


def test_what_is_no_address_gets_none():
    wrong = Outside(sender="a@x.example", recipient="b@x.example\r\nBcc: c", ebms_message_id="1")

    with pytest.raises(PolicyViolation, match="header"):
        write_notice(wrong, URL, AT)
