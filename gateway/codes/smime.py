"""Codes of secure e-mail: why a mail is not made, or not taken in."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    Malformed,
    PolicyViolation,
    SignatureInvalid,
    TooLarge,
    Untrusted,
)

_OPERATOR = (Told.OPERATOR,)
_THEIRS = "The partner must mend how his mail is made; it is not taken in."

SMIME: tuple[Code, ...] = (
    *family(
        TooLarge,
        _OPERATOR,
        {
            "smime.too_large": (
                "The message is larger than secure e-mail may be, sent or received.",
                "Make documents smaller or divide them over more messages.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _OPERATOR,
        {
            "smime.header": (
                "An address, an id or the NTA 7516 header can not stand in a mail.",
                "Mend the address or the header in the administration of the partner.",
            ),
        },
    ),
    *family(
        Malformed,
        _OPERATOR,
        {
            "smime.field": ("A field that counts stands in the mail twice.", _THEIRS),
            "smime.head": ("The fields of the mail are not readable, or too many.", _THEIRS),
            "smime.parts": ("The mail has too many parts, or they are too deep.", _THEIRS),
        },
    ),
    *family(
        Untrusted,
        _OPERATOR,
        {
            "smime.misdirected": (
                "The mail was signed for another mailbox, or as another sender.",
                "Ask the partner; somebody may have sent on what was not for us.",
            ),
            "smime.sender": (
                "The mail is from an address that no partner has.",
                "When it is of a partner: record address and certificates.",
            ),
        },
    ),
    *family(
        DecryptionFailed,
        _OPERATOR,
        {
            "smime.unsealed": (
                "The mail is not encrypted as a whole.",
                "The partner must encrypt the whole mail; a part of it does not count.",
            ),
        },
    ),
    *family(
        SignatureInvalid,
        _OPERATOR,
        {
            "smime.nested": (
                "What was signed holds another signature or envelope.",
                "The partner signs once and encrypts once; a forwarded mail goes as a file.",
            ),
            "smime.signing_time": (
                "The mail says that it was signed in the future.",
                "Somebody's clock is wrong; look at both.",
            ),
            "smime.unsigned": (
                "What was encrypted is not signed as a whole.",
                "The partner must sign the mail before encrypting it.",
            ),
        },
    ),
    *family(
        CertificateRejected,
        _OPERATOR,
        {
            "smime.address": (
                "The certificate of the signature does not carry the sender's address.",
                "The partner signs with a certificate of that mailbox.",
            ),
        },
    ),
)
