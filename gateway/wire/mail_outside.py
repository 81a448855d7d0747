"""What a mail of ours says outside, where everybody on the way reads it: nothing of the message."""

from dataclasses import dataclass
from datetime import datetime

from gateway.errors import PolicyViolation
from gateway.wire import mail_make

SUBJECT = "Beveiligd bericht"
_REFERENCE = 12
"""Characters of the Message-ID, opaque, in the subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The envelope of one message to one partner."""

    sender: str
    """Our address."""
    recipient: str
    ebms_message_id: str
    """What the message is known by over ebMS; the Message-ID follows from it."""
    in_reply_to: str = ""
    """Message-ID (without `<>`) of the mail that it answers."""

    @property
    def message_id(self) -> str:
        """Return the Message-ID without `<>`."""
        return mail_make.message_id_of(
            self.ebms_message_id,
            recipient=self.recipient,
            domain=self.sender.rpartition("@")[2],
        )

    @property
    def reference(self) -> str:
        """Return what a person finds the mail by."""
        return self.message_id[:_REFERENCE]

    def head(self, at: datetime) -> dict[str, str]:
        """Return the fields; raises PolicyViolation `smime.header` for what is no address."""
        found = fields(self.sender, self.recipient, self.message_id, SUBJECT, at)
        return found | {"In-Reply-To": f"<{self.in_reply_to}>" if self.in_reply_to else ""}


def fields(
    sender: str, recipient: str, message_id: str, subject: str, at: datetime
) -> dict[str, str]:
    """Return what every mail of ours says; raises PolicyViolation `smime.header`.

    The subject is the same for all mail of a kind, with the opaque start of the Message-ID.
    """
    for where, address in (("From", sender), ("To", recipient)):
        if not mail_make.is_address(address):
            raise no_field(where)
    return {
        "From": sender,
        "To": recipient,
        "Date": mail_make.date(at),
        "Message-ID": f"<{message_id}>",
        "Subject": f"{subject} {message_id[:_REFERENCE]}",
        "MIME-Version": "1.0",
    }


def no_field(where: str) -> PolicyViolation:
    """Return what to raise for a field that a mail can not have."""
    return PolicyViolation("smime.header", "a mail can not have this field", where=where)


def write_notice(outside: Outside, url: str, at: datetime) -> bytes:
    """Return the mail that says that a message waits at `url`, and nothing else of it.

    Raises as `Outside.head`.
    """
    head = outside.head(at) | {"Auto-Submitted": "auto-generated"}
    text = _NOTICE.format(url=url, reference=outside.reference)
    return mail_make.entity(head, text.encode(), kind="text/plain; charset=utf-8")


_NOTICE = """\
Er staat een beveiligd bericht voor uw organisatie klaar.\r
\r
Meld u aan om het te lezen: {url}\r
Kenmerk van deze mail: {reference}\r
\r
In deze mail staat met opzet niets over het bericht zelf. Hebt u geen account, vraag het\r
dan na bij de afzender. U kunt deze mail niet beantwoorden.\r
\r
A secure message waits for your organisation. Sign in at the address above to read it.\r
"""
