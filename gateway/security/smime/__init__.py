"""S/MIME (RFC 8551) for secure e-mail: pure, from octets to octets.

`seal_mail` makes a mail of one released message, `open_mail` reads one that came in. Both are
blocking, for as long as the message is large: call them on a thread. What they stand on: `signed`
inside, `enveloped` outside, `gateway.wire.mail_make` and `mail_read` for MIME.

Out: one `Draft` (payload, addresses, what a person must know) goes to the `Recipients` of a partner
and gives a `Mail`: octets and Message-ID. `message_id_of` tells the Message-ID before there is a
mail; another attempt has it again.

In: a `Mailbox` (our address, certificates and keys, and who may write to it) opens octets as
`Opened`: who signed, the XML in it (`payloads`), `text` and `attachments` for a person. XML alone
(`payloads` and no `attachments`) may go on into the pipeline; anything else is for a person.
`open_signed` reads a mail that is signed and not encrypted: for notices and answers only.
"""

from gateway.security.smime.open import Attachment, Mailbox, Opened, Sender, open_mail, open_signed
from gateway.security.smime.recipients import Encryption
from gateway.security.smime.seal import Draft, Mail, Recipients, Reply, seal_mail, seal_notice
from gateway.wire.mail_make import message_id_of
from gateway.wire.mail_read import MailLimits

__all__ = [
    "Attachment",
    "Draft",
    "Encryption",
    "Mail",
    "MailLimits",
    "Mailbox",
    "Opened",
    "Recipients",
    "Reply",
    "Sender",
    "message_id_of",
    "open_mail",
    "open_signed",
    "seal_mail",
    "seal_notice",
]
