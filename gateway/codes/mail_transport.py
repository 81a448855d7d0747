"""Codes of the way to a partner's mail server: names, certificates, SMTP."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    CertificateRejected,
    Misconfigured,
    OutcomeUnknown,
    PeerUnreachable,
    PolicyViolation,
    TransportUnproved,
)

_SEEN = (Told.OPERATOR,)
_RESOLVER = "Look at the resolver of `email.resolver`."
_DOMAIN = "Ask whoever keeps the domain of the partner."
_SERVER = "Ask the partner to look at his mail server."
_WAIT = "It is tried again; ask the partner if it lasts."

MAIL_TRANSPORT: tuple[Code, ...] = (
    *family(
        Misconfigured,
        (Told.START,),
        {
            "email.dkim_key": (
                "A key of [[email.dkim]] is not RSA of 2048 bits or more, nor Ed25519.",
                "Make one as docs/e-mail.md says: PEM, without a password.",
            ),
            "email.resolver": (
                "The resolver is not on this machine: what it says can be changed on the way.",
                "Run a validating resolver on this machine (docs/e-mail.md).",
            ),
        },
    ),
    *family(
        TransportUnproved,
        _SEEN,
        {
            "dns.bogus": (
                "The resolver says that signatures in the DNS do not hold.",
                f"{_DOMAIN} It can be an attack: do not switch validation off.",
            ),
            "dns.lame": ("The resolver refuses, or does not resolve for us.", _RESOLVER),
            "dns.malformed": (
                "An answer of the resolver is unreadable, or has far too many records.",
                _RESOLVER,
            ),
            "dns.name": ("This is not a name of the DNS.", "Mend the address of the partner."),
            "dns.no_address": ("A mail server has no address.", _DOMAIN),
            "dns.nxdomain": ("A domain or mail server does not exist.", "Check the domain."),
            "dns.servfail": (
                "The resolver gets no answer that it can believe.",
                f"{_DOMAIN} `delv MX domain` shows more.",
            ),
            "dns.timeout": ("The resolver did not answer in time.", _RESOLVER),
            "dns.unreachable": ("The resolver can not be reached.", _RESOLVER),
            "dns.unsigned": (
                "An answer was not validated: no DNSSEC, or a resolver that does not look at it.",
                f"{_DOMAIN} Without DNSSEC only a recorded policy helps (docs/e-mail.md).",
            ),
            "dane.none": (
                "The mail server has no TLSA record.",
                f"{_DOMAIN} Without DANE only a recorded policy helps (docs/e-mail.md).",
            ),
            "dane.unusable": (
                "The mail server has only TLSA records that mean nothing for SMTP (RFC 7672).",
                f"{_DOMAIN} It must be usage 3 or 2.",
            ),
            "mail.changed": (
                "MX or TLSA of the partner changed between the proof and the sending.",
                "It is tried again with what holds now.",
            ),
            "nta7516.malformed": (
                "The NTA 7516 record can not be read, or is there twice.",
                _DOMAIN,
            ),
            "nta7516.none": ("The domain has no NTA 7516 record, and it was agreed.", _DOMAIN),
            "nta7516.period": ("The NTA 7516 record does not hold today.", _DOMAIN),
            "smtp.starttls": (
                "The mail server offers no TLS, refuses it, or somebody in between took it away.",
                f"{_SERVER} It can be an attack, or a firewall that reads along.",
            ),
            "smtp.tls": ("No TLS connection of version 1.2 or newer came about.", _SERVER),
        },
    ),
    *family(
        CertificateRejected,
        _SEEN,
        {
            "certificate.host": (
                "The certificate of a mail server is of another name.",
                _SERVER,
            ),
            "dane.mismatch": (
                "The certificate of the mail server is not the one of its TLSA records.",
                f"{_DOMAIN} Often it was renewed without them; it can be an attack.",
            ),
            "pin.mismatch": (
                "The key of the mail server is another one than was recorded.",
                "Ask the partner by telephone whether he renewed it, then record the new one.",
            ),
        },
    ),
    *family(
        PeerUnreachable,
        _SEEN,
        {
            "smtp.deferred": (
                "The mail server can not take the mail now (4xx), or refused before TLS.",
                _WAIT,
            ),
            "smtp.lost": ("The connection broke before the whole mail was sent.", _WAIT),
            "smtp.protocol": ("What the mail server says is no SMTP.", _SERVER),
            "smtp.timeout": ("The mail server did not answer in time.", _WAIT),
            "smtp.unreachable": ("No connection to the mail server came about.", _WAIT),
        },
    ),
    *family(
        PolicyViolation,
        _SEEN,
        {
            "mail.address": ("This is not a plain e-mail address.", "Mend the address."),
            "mail.domain": ("This is not a mail domain.", "Mend the address."),
            "mail.letter": (
                "The mail has lines that SMTP does not carry.",
                "Report it: the gateway made it.",
            ),
            "mail.none": ("The domain says that it takes no mail (RFC 7505).", "Mend the address."),
            "mail.recipients": (
                "A mail has no recipients, over a hundred, or of two domains.",
                "Mend the addresses of the partner.",
            ),
            "mail.too_large": (
                "The mail is larger than `email.most_bytes`.",
                "Send it over the agreed route, or raise the limit with the partner.",
            ),
            "smtp.8bitmime": (
                "The mail server takes 7 bits only.",
                "Report it: what the gateway seals has no more.",
            ),
            "smtp.rejected": (
                "The mail server refused the mail or a recipient for good (5xx).",
                "Ask the partner whether the mailbox exists and takes mail from us.",
            ),
            "smtp.size": ("The mail is larger than the mail server takes.", _SERVER),
        },
    ),
    *family(
        OutcomeUnknown,
        _SEEN,
        {
            "smtp.unanswered": (
                "The whole mail was sent and no answer came: it may have been taken.",
                "Ask the partner; it is not sent again by itself.",
            ),
        },
    ),
)
