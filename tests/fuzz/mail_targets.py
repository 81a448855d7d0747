"""Mail: as anybody may send it, and as a partner signs and encrypts it, changed on the way."""

from collections.abc import Iterator

from gateway.errors import (
    Malformed,
    PolicyViolation,
    TooLarge,
)
from gateway.wire import mail_shown
from gateway.wire.mail_outside import Outside, write_notice
from gateway.wire.mail_read import Entity, MailLimits, entities, is_automatic, read_entity
from gateway.wire.mail_reports import Notice, acknowledgement, is_report, read_report
from tests import pki
from tests.fuzz.changes import CANARY
from tests.fuzz.choices import Choices
from tests.fuzz.target import Broken, Target
from tests.fuzz.wire_targets import package_changed
from tests.smime import (
    ALICE_ADDRESS,
    BOB_ADDRESS,
)

LIMITS = MailLimits(octets=1 << 20, head_octets=4_096, fields=40, parts=12, depth=4)
MAXIMUM = 200_000


# --- any mail -------------------------------------------------------------------------


def read_mail(octets: bytes) -> None:
    """Whatever it is, a person may look at it; a program reads it or says why not."""
    shown = mail_shown.show_mail(octets, LIMITS)
    told = (shown.sender, shown.subject, shown.date, shown.text, *(p.name for p in shown.parts))
    if not all(c.isprintable() or c == "\n" for text in told for c in text):
        raise Broken("something is shown that can not be seen")
    whole = read_entity(octets, limits=LIMITS)
    for entity in entities(whole, limits=LIMITS):
        _read_one(entity)
    if shown.parts:
        kind, inside = mail_shown.part_of(octets, shown.parts[0].n, LIMITS)
        if kind != shown.parts[0].kind or len(inside) > len(octets):
            raise Broken("a part is not the one that was shown")
    is_automatic(whole.head)
    if is_report(whole.head):
        read_report(whole)


def _read_one(entity: Entity) -> None:
    head = entity.head
    _ = head.kind, head.is_attached, head.filename
    for name in ("from", "to", "message-id", "in-reply-to", "references"):
        _ = head.address(name), head.addresses(name), head.id(name), head.last_id(name)
    if len(entity.decoded()) > len(entity.body):
        raise Broken("decoded it is larger")


_DSN = b"""From: a@x.example\r\nSubject: =?utf-8?q?niet_bezorgd?=\r\nAuto-Submitted: auto-replied\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r
--b\r\nContent-Type: text/plain\r\n\r\ntekst\r
--b\r\nContent-Type: message/delivery-status\r\n\r\nOriginal-Envelope-Id: abc\r
Reporting-MTA: dns; x.example\r\n\r\nFinal-Recipient: rfc822; <b@y.example>\r
Original-Recipient: rfc822;b@y.example\r\nAction: failed (so it is)\r\nStatus: 5.1.1\r\n\r
Final-Recipient: x400; y\r\nAction: delayed\r\nStatus: 4.0.0 (later)\r\n\r
--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <m@x>\r\nSubject: x\r\n\r\ntekst\r\n--b--\r
"""
LETTER = b"""Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nFrom: "A" <a@x.example>\r\nTo: b@y.example,\r
 c@y.example\r\nMessage-ID: <m@x.example>\r\nReferences: <n@x> <o@x>\r
Content-Type: multipart/mixed; boundary="b"\r\n\r\nvooraf\r
--b\r\nContent-Type: multipart/alternative; boundary="c"\r\n\r
--c\r\nContent-Type: text/plain; charset=iso-8859-15\r
Content-Transfer-Encoding: quoted-printable\r\n\r\nZo=EB =\r\nhallo\r
--c\r\nContent-Type: text/html\r\n\r\n<p>hallo</p>\r\n--c--\r
--b\r\nContent-Type: application/xml; name="b.xml"\r\nContent-Transfer-Encoding: base64\r
Content-Disposition: attachment; filename="=?utf-8?b?YsOpLnhtbA==?="\r\n\r\nPGEvPg==\r\n--b--\r
"""


def mail_seeds() -> Iterator[bytes]:
    yield from (LETTER, _DSN, b"\r\nalleen tekst")
    yield notice()
    yield notice().replace(
        b"automatic-action/MDN-sent-automatically; processed",
        b"manual-action/MDN-sent-manually; displayed/error",
    )
    yield _DSN.replace(b"message/rfc822", b"text/rfc822-headers").replace(b"m@x", b"n@x")
    outside = Outside(sender=ALICE_ADDRESS, recipient=BOB_ADDRESS, ebms_message_id="m@x")
    yield write_notice(outside, "https://gateway.example/b/1", pki.AT)


def notice() -> bytes:
    return b"From: b@y.example\r\nTo: a@x.example\r\n" + acknowledgement(
        mail="m@x.example", mailbox=BOB_ADDRESS, digest="ab" * 32, ebms_message_id="e@x.example"
    )


# --- what is written ------------------------------------------------------------------

WORDS = (
    *("a@x.example", "", "a@x", "é@x.example", "a b@x.example", "a@x.example\r\nBcc: c@y.example"),
    *("A" * 300, "x", "<a@x>", CANARY, '"a"@x.example', "a@" + "b" * 260, "a\0b"),
)


def write_mail(octets: bytes) -> None:
    """What is written is mail, and says nothing but what it was given."""
    choices = Choices(octets)
    one, two, three, four = (choices.one(WORDS) for _ in range(4))
    notice = acknowledgement(mail=one, mailbox=two, digest=three, ebms_message_id=four)
    _check(notice, (one, two, three, four))


def _check(notice: bytes, given: tuple[str, ...]) -> None:
    entity = read_entity(notice, limits=LIMITS)
    try:
        found = read_report(entity)
    except Malformed:
        return  # what was given can not be read by our own grammar: nobody acts on it
    if not isinstance(found, Notice) or (not found.accepted and found.digest):
        raise Broken("a notice that was taken in is another report")
    if {found.message_id, found.digest, found.ebms_message_id} - {*given, ""}:
        raise Broken("a notice says what it was not given")


# --- the table ------------------------------------------------------------------------

READING = (
    (TooLarge, ("smime.too_large",)),
    (Malformed, ("smime.head", "smime.field", "smime.parts", "mime.")),
)

TARGETS = (
    Target(
        name="mail",
        run=read_mail,
        seeds=mail_seeds,
        raises=(*READING, (Malformed, ("mail.report",))),
        change=package_changed,
        share=3,
    ),
    Target(
        name="mail-made",
        run=write_mail,
        seeds=lambda: (bytes((0, 0, n)) for n in range(len(WORDS))),
        raises=((PolicyViolation, ("smime.header",)),),
    ),
)
