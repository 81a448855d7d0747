"""Reports about a mail: what a stranger writes is matched, never believed further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, Malformed, PolicyViolation
from gateway.wire.mail_read import read_entity
from gateway.wire.mail_reports import LIMITS, Action, Notice, acknowledgement, read_report

DSN = "delivery-status"
MDN = "disposition-notification"
OF_ALL = "Reporting-MTA: dns; mx.partner.example\r\nOriginal-Envelope-Id: 0a1b2c\r\n"
OF_ONE = (
    "Original-Recipient: rfc822;vt@partner.example\r\n"
    "Final-Recipient: rfc822; box7@partner.example\r\n"
    "Action: delivered\r\nStatus: 2.0.0\r\n"
)
NOTICE = (
    "Reporting-UA: mail.partner.example; Some Program\r\n"
    "Original-Recipient: rfc822;vt@partner.example\r\n"
    "Final-Recipient: rfc822;vt@partner.example\r\n"
    "Original-Message-ID: <ab12@gateway.example>\r\n"
    "Disposition: manual-action/MDN-sent-manually; displayed\r\n"
)


def report(kind: str, fields: str, *, said: str = "", parts: int = 3) -> bytes:
    made = (
        "Content-Type: text/plain\r\n\r\nFor people.",
        f"Content-Type: message/{kind}\r\n\r\n{fields}",
        "Content-Type: text/rfc822-headers\r\n\r\nSubject: Beveiligd bericht\r\n",
        "Content-Type: text/plain\r\n\r\nMore.",
    )
    body = "".join(f"--b\r\n{part}\r\n" for part in made[:parts])
    head = f'Content-Type: multipart/report; report-type={said or kind}; boundary="b"\r\n\r\n'
    return f"{head}{body}--b--\r\n".encode()


def dsn(fields: str = f"{OF_ALL}\r\n{OF_ONE}", **changes) -> bytes:
    return report(DSN, fields, **changes)


def mdn(fields: str = NOTICE, **changes) -> bytes:
    return report(MDN, fields, **changes)


def read(octets: bytes):
    return read_report(read_entity(octets, limits=LIMITS))


def test_a_delivery_report_names_envelope_recipient_and_what_became_of_it():
    found = read(dsn())

    assert found.envelope_id == "0a1b2c"
    (one,) = found.told
    assert (one.recipient, one.action, one.status) == (
        "vt@partner.example",
        Action.DELIVERED,
        "2.0.0",
    )


def test_each_recipient_is_told_of():
    other = OF_ONE.replace("delivered", "FAILED (for good)").replace("2.0.0", "5.1.1 (no such)")

    found = read(dsn(f"{OF_ALL}\r\n{OF_ONE}\r\n{other}\r\n"))

    assert [(one.action, one.status) for one in found.told] == [
        (Action.DELIVERED, "2.0.0"),
        (Action.FAILED, "5.1.1"),
    ]


def test_without_the_address_that_we_gave_the_final_one_counts():
    (one,) = read(dsn(f"{OF_ALL}\r\n{OF_ONE.partition(chr(10))[2]}")).told

    assert one.recipient == "box7@partner.example"


@pytest.mark.parametrize("address", ["x400;/c=nl/", "rfc822;vt", "rfc822;a@b.nl,c@d.nl"])
def test_an_address_that_is_none_of_mail_is_nobody(address):
    (one,) = read(dsn(f"{OF_ALL}\r\n{OF_ONE.replace('rfc822;vt@partner.example', address)}")).told

    assert one.recipient == ""


def test_a_notice_names_the_mail_and_what_was_done():
    assert read(mdn()) == Notice(
        message_id="ab12@gateway.example",
        recipient="vt@partner.example",
        type="displayed",
        by_hand=True,
        failed=False,
        digest="",
        ebms_message_id="",
    )


def test_a_notice_of_a_gateway_says_what_it_took_in():
    added = f"X-Payload-SHA256: {'ab' * 32}\r\nX-Ebms-Message-Id: m-1@politie.example\r\n"

    found = read(mdn(NOTICE + added))

    assert (found.digest, found.ebms_message_id) == ("ab" * 32, "m-1@politie.example")


@pytest.mark.parametrize("modifier", ["/error", "/Error,other", "/ failed"])
def test_a_modifier_is_no_plain_success(modifier):
    assert read(mdn(NOTICE.replace("displayed", f"displayed{modifier}"))).failed


@pytest.mark.parametrize("ebms_id", ["m-1@politie.example", ""])
def test_what_we_write_is_what_we_read(ebms_id):
    octets = acknowledgement(
        mail="ab12@gateway.example",
        mailbox="vt@partner.example",
        digest="ab" * 32,
        ebms_message_id=ebms_id,
    )

    found = read(octets)

    assert found.accepted
    assert not found.displayed
    assert found == Notice(
        message_id="ab12@gateway.example",
        recipient="vt@partner.example",
        type="processed",
        by_hand=False,
        failed=False,
        digest="ab" * 32,
        ebms_message_id=ebms_id,
    )


@pytest.mark.parametrize("name", ["mail", "mailbox", "digest", "ebms_message_id"])
def test_nothing_in_it_begins_another_field(name):
    given = dict.fromkeys(("mail", "mailbox", "digest", "ebms_message_id"), "x")

    with pytest.raises(PolicyViolation) as caught:
        acknowledgement(**given | {name: "x\r\nDisposition: y"})

    assert caught.value.code == "smime.header"


WRONG = {
    "another report": report("feedback-report", "Feedback-Type: abuse\r\n"),
    "type of the report is another": dsn(said=MDN),
    "no report at all": b"Content-Type: text/plain\r\n\r\nAction: delivered\r\n",
    "one part": dsn(parts=1),
    "no recipient": dsn(OF_ALL),
    "no action": dsn(f"{OF_ALL}\r\n{OF_ONE.replace('Action: delivered', 'X-A: b')}"),
    "an action of nobody": dsn(f"{OF_ALL}\r\n{OF_ONE.replace('delivered', 'deliverd')}"),
    "a status of words": dsn(f"{OF_ALL}\r\n{OF_ONE.replace('2.0.0', 'fine')}"),
    "no final recipient": dsn(f"{OF_ALL}\r\n{OF_ONE.replace('Final-', 'X-')}"),
    "envelope with a blank": dsn(f"{OF_ALL.replace('0a1b2c', '0a 1b')}\r\n{OF_ONE}"),
    "envelope too long": dsn(f"{OF_ALL.replace('0a1b2c', 'a' * 101)}\r\n{OF_ONE}"),
    "more recipients than are read": dsn("\r\n".join([OF_ALL, *[OF_ONE] * 101])),
    "two groups in a notice": mdn(f"{NOTICE}\r\n{NOTICE}"),
    "no mail in a notice": mdn(NOTICE.replace("Original-Message-ID", "X-Id")),
    "two mails in a notice": mdn(NOTICE.replace("<ab12@", "<x@y> <ab12@")),
    "a disposition of words": mdn(NOTICE.replace("manual-action/", "")),
    "a digest of another kind": mdn(f"{NOTICE}X-Payload-SHA256: {'AB' * 32}\r\n"),
    "an id that is none": mdn(f"{NOTICE}X-Ebms-Message-Id: a b\r\n"),
}


@pytest.mark.parametrize("octets", WRONG.values(), ids=WRONG)
def test_what_is_not_by_the_grammar_is_no_report(octets):
    with pytest.raises(Malformed) as caught:
        read(octets)

    assert caught.value.code == "mail.report"


TWICE = {
    "action": dsn(f"{OF_ALL}\r\n{OF_ONE}Action: failed\r\n"),
    "envelope": dsn(f"{OF_ALL}Original-Envelope-Id: other\r\n\r\n{OF_ONE}"),
    "disposition": mdn(f"{NOTICE}Disposition: manual-action/MDN-sent-manually; deleted\r\n"),
    "digest": mdn(NOTICE + f"X-Payload-SHA256: {'ab' * 32}\r\n" * 2),
}


@pytest.mark.parametrize("octets", TWICE.values(), ids=TWICE)
def test_a_field_that_counts_stands_there_once(octets):
    with pytest.raises(Malformed) as caught:
        read(octets)

    assert caught.value.code == "smime.field"


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (dsn().replace(b"\r\n", b"\n"), "smime.head"),
        (dsn(parts=4), "smime.parts"),
        (dsn().replace(b"--b--", b"--c--"), "mime.boundary"),
        (mdn(NOTICE + f"X-A: {'x' * 70_000}\r\n"), "smime.head"),
        (dsn() + b"x" * LIMITS.octets, "smime.too_large"),
    ],
    ids=["bare line feeds", "four parts", "no end", "a long field", "a long report"],
)
def test_what_is_no_mail_is_no_report(octets, code):
    with pytest.raises(GatewayError) as caught:
        read(octets)

    assert caught.value.code == code


LINES = st.lists(
    st.one_of(
        st.sampled_from([*OF_ALL.splitlines(), *OF_ONE.splitlines(), *NOTICE.splitlines(), ""]),
        st.text(max_size=40),
    ),
    max_size=12,
).map("\r\n".join)


@given(kind=st.sampled_from([DSN, MDN]), fields=LINES)
def test_whatever_stands_there_it_is_read_or_refused(kind, fields):
    try:
        found = read(report(kind, fields))
    except GatewayError as refused:
        assert refused.code.partition(".")[0] in {"mail", "smime", "mime"}  # noqa: PT017
    else:
        assert found
