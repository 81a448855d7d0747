"""What may be handed to SMTP: addresses without tricks, and octets that have one reading only.

Two servers that do not agree on where a line or a message ends see two different messages: so
what has a bare CR or LF does not leave.
"""

import re

from gateway.errors import PolicyViolation
from gateway.outbound.mail_route import is_name
from gateway.ports.mail import Letter
from gateway.wire.mail_make import is_address

MOST_RECIPIENTS = 100
LONGEST_LINE = 998
"""Octets without the CRLF (RFC 5322, 2.1.1)."""
_REFERENCE = re.compile(r"[A-Za-z0-9.-]{1,100}")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")
_LONG = re.compile(rb"[^\n]{%d}" % (LONGEST_LINE + 2))


def domain_of(address: str) -> str:
    """Return the domain of an address, in lower case.

    Raises PolicyViolation `mail.address` for what is no plain address in ASCII: no quotes, no
    comments, no address literal.
    """
    domain = address.rpartition("@")[2].lower()
    if not (is_address(address) and is_name(domain)):
        raise PolicyViolation("mail.address", "not a plain e-mail address")
    return domain


def one_domain(letter: Letter, *, most_bytes: int) -> str:
    """Return the domain that the letter goes to, its addresses and octets checked.

    Raises PolicyViolation `mail.address`, `mail.recipients`, `mail.letter`, `mail.too_large`.
    """
    if letter.sender:
        domain_of(letter.sender)
    domains = {domain_of(recipient) for recipient in letter.recipients}
    if len(domains) != 1 or len(letter.recipients) > MOST_RECIPIENTS:
        raise PolicyViolation("mail.recipients", "no recipient, too many, or of two domains")
    if len(letter.octets) > most_bytes:
        raise PolicyViolation("mail.too_large", f"more than {most_bytes} octets")
    if not _plain(letter):
        raise PolicyViolation("mail.letter", "octets or reference that do not fit in SMTP")
    return domains.pop()


def _plain(letter: Letter) -> bool:
    return (
        letter.octets.endswith(b"\r\n")
        and _BARE.search(letter.octets) is None
        and _LONG.search(letter.octets) is None
        and _REFERENCE.fullmatch(letter.reference) is not None
    )
