"""Codes about what a partner sends over ebMS2, and who he is."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    DuplicateConflict,
    Expired,
    Limited,
    Malformed,
    PolicyViolation,
    Refused,
    RevocationUnknown,
    SignatureInvalid,
    TooLarge,
    Unavailable,
    UnknownAgreement,
)

_PARTNER = (Told.EBMS, Told.OPERATOR)
_AGREED = "Compare with the CPA: both sides must have loaded the same one."
_PACKAGE = "The partner's adapter must build the package as ebMS 2.0 and RFC 2387 say."
_HEADER = "The partner's adapter must fill the header as ebMS 2.0 says."
_SIGNED = "The partner's adapter must sign as Digikoppeling ebMS2 says."

PARTNERS: tuple[Code, ...] = (
    *family(
        Limited,
        _PARTNER,
        {
            "enquiry.pace": (
                "A partner asks more than 60 times a minute (Ping, StatusRequest).",
                "He waits; messages are not hindered.",
            ),
        },
    ),
    *family(
        Malformed,
        _PARTNER,
        {
            "mime.boundary": ("The boundary is missing, not valid, or does not occur.", _PACKAGE),
            "mime.charset": ("The charset is not UTF-8.", "Send XML parts in UTF-8."),
            "mime.content_id": ("A Content-ID is missing or not readable.", _PACKAGE),
            "mime.content_type": ("A Content-Type is missing or not readable.", _PACKAGE),
            "mime.duplicate_cid": ("Two parts have one Content-ID.", _PACKAGE),
            "mime.missing_part": ("A part that the Manifest names is not there.", _PACKAGE),
            "mime.part": ("A part is empty, or has no headers, or no end.", _PACKAGE),
            "mime.parts": (
                "There are more parts than `limits.parts`.",
                "Send the document as the one payload; attachments are base64 inside it.",
            ),
            "mime.start": ("`start` names a part that is not there.", _PACKAGE),
            "mime.transfer_encoding": (
                "The Content-Transfer-Encoding is not supported, or broken.",
                "Use binary, 8bit, 7bit, base64 or quoted-printable.",
            ),
            "mime.unreferenced_part": ("A part is not in the Manifest.", _PACKAGE),
            "payload.count": (
                "There is not exactly one payload.",
                "Send the document as the one payload; attachments are base64 inside it.",
            ),
            "answer.kind": (
                "The HTTP answer to a message of ours is no signal.",
                "A partner's adapter answers with a signal, or with nothing.",
            ),
            "soap.envelope": ("The root is not a SOAP 1.1 Envelope.", _PACKAGE),
            "header.action": ("The Action is not known.", _AGREED),
            "header.actor": ("The actor is not that of its block.", _HEADER),
            "header.body": ("The Body holds more than one element.", _HEADER),
            "header.bundled": (
                "A signal is bundled with other contents.",
                "Digikoppeling sends a signal by itself.",
            ),
            "header.duplicate": ("A block of the header is there twice.", _HEADER),
            "header.manifest": ("The Manifest is missing, empty, or not readable.", _HEADER),
            "header.missing": ("An element of the header is missing or empty.", _HEADER),
            "header.must_understand": (
                "A block that must be understood is not known here.",
                "Leave it out, or set mustUnderstand to 0.",
            ),
            "header.not_supported": (
                "The header asks for something that Digikoppeling does not use.",
                _AGREED,
            ),
            "header.party": ("From or To does not have exactly one PartyId.", _HEADER),
            "header.reference": ("A Reference of the Manifest is not complete.", _HEADER),
            "header.role": ("The Role is missing.", _AGREED),
            "header.service": ("The Service has no type and is no URI.", _AGREED),
            "header.size": (
                "The SOAP envelope is larger than `limits.header_bytes`.",
                "Data belong in the payload, not in the envelope.",
            ),
            "header.soapaction": ('SOAPAction is not "ebXML".', _PACKAGE),
            "header.timestamp": (
                "A timestamp is no moment with a zone, or not believable.",
                "Write UTC, and set the clock right.",
            ),
            "header.unknown": ("An ebMS element is not known.", _HEADER),
            "header.value": ("A value of the header is not allowed.", _HEADER),
            "header.version": ("The version is not 2.0.", _HEADER),
        },
    ),
    *family(
        PolicyViolation,
        _PARTNER,
        {
            "header.inconsistent": ("The header is not as the CPA says.", _AGREED),
            "peer.oin": (
                "The TLS certificate is not of the party that the header names.",
                "Use the own certificate, or record a mandate in `mandaten` of the party.",
            ),
        },
    ),
    *family(
        SignatureInvalid,
        _PARTNER,
        {
            "signature.algorithm": ("An algorithm is forbidden or not agreed.", _AGREED),
            "signature.certificate": (
                "It was not signed with the agreed certificate.",
                "The partner renewed his certificate: make and load a new CPA.",
            ),
            "signature.digest": (
                "A digest does not match: the message was changed on its way, or signed wrong.",
                _SIGNED,
            ),
            "signature.form": ("The Signature is not built as the profile says.", _SIGNED),
            "signature.header": ("The header differs from what was signed.", _SIGNED),
            "signature.misplaced": ("The Signature is not in the SOAP header.", _SIGNED),
            "signature.missing": ("There is no signature where one was agreed.", _AGREED),
            "signature.multiple": ("There is more than one signature.", _SIGNED),
            "signature.reference": ("A Reference is wrong or there twice.", _SIGNED),
            "signature.transform": ("A transform is not allowed.", _SIGNED),
            "signature.uncovered": ("A part is not signed.", _SIGNED),
            "signature.unexpected": ("It is signed though that was not agreed.", _AGREED),
            "signature.value": ("The signature does not verify.", _SIGNED),
        },
    ),
    *family(
        DecryptionFailed,
        _PARTNER,
        {
            "decryption.algorithm": ("The cipher is forbidden or not agreed.", _AGREED),
            "decryption.failed": (
                "A part can not be decrypted with our key.",
                (
                    "The partner must encrypt for our certificate in the CPA; after a renewal both "
                    "sides load the new one."
                ),
            ),
            "decryption.form": ("EncryptedData is not built as the profile says.", _AGREED),
            "decryption.not_encrypted": (
                "A part is not encrypted though that was agreed.",
                _AGREED,
            ),
            "decryption.unexpected": ("A part is encrypted though that was not agreed.", _AGREED),
        },
    ),
    *family(
        CertificateRejected,
        _PARTNER,
        {
            "certificate.expired": ("A certificate has expired.", "Its owner renews it."),
            "certificate.malformed": (
                "A certificate is not readable, or not one of PKIoverheid's form.",
                "Give the certificate itself, PEM or DER.",
            ),
            "certificate.not_yet_valid": (
                "A certificate is not valid yet.",
                "Wait, or look at the clock of this machine.",
            ),
            "certificate.oin": (
                "The subject has no OIN in its serial number.",
                "Use a certificate with an OIN (PKIoverheid private).",
            ),
            "certificate.party": (
                "The signer is not the sender.",
                "Use the own certificate, or record a mandate.",
            ),
            "certificate.revoked": (
                "A certificate was revoked.",
                "Its owner gets a new one. Ask him why before you trust it.",
            ),
            "certificate.untrusted": (
                "No trusted chain leads to a certificate.",
                "Check `paths.anchors` and `paths.intermediates`: test and production differ.",
            ),
            "certificate.usage": (
                "A certificate is not for this use.",
                "Look at keyUsage and extendedKeyUsage.",
            ),
            "certificate.weak_key": (
                "The key is too weak or of the wrong kind.",
                "RSA of at least 2048 bits; for encryption it must be RSA.",
            ),
            "peer.missing": ("No client certificate came with the connection.", _AGREED),
        },
    ),
    *family(
        RevocationUnknown,
        _PARTNER,
        {
            "certificate.revocation_unknown": (
                "No fresh revocation list tells whether a certificate was revoked.",
                "Renew the lists in `paths.crls`. The partner tries again by himself.",
            ),
        },
    ),
    *family(
        UnknownAgreement,
        _PARTNER,
        {
            "agreement.action": ("The agreement does not let this party send this.", _AGREED),
            "agreement.not_in_force": (
                "The agreement is not agreed upon, or its period is over or did not begin.",
                "Load a CPA that is in force.",
            ),
            "agreement.party": ("The party is not in the agreement.", _AGREED),
            "agreement.receiver": (
                "The receiver is not a party of this installation.",
                "Look at the address and the CPA that the partner uses.",
            ),
            "agreement.signals": ("The agreement has no channel for signals.", _AGREED),
            "agreement.unknown": (
                "The CPAId is not known here.",
                "Put the CPA in `paths.agreements`, or have the partner use the current one.",
            ),
        },
    ),
    *family(
        DuplicateConflict,
        _PARTNER,
        {
            "duplicate.message_id": (
                "The MessageId was used before for other contents.",
                "A new message needs a new id; a retry sends the same octets.",
            ),
        },
    ),
    *family(
        Expired,
        _PARTNER,
        {
            "ttl.expired": (
                "The TimeToLive passed before the message could be taken in or sent.",
                "Send it again with a new referentienummer; look at clocks and outages.",
            ),
        },
    ),
    *family(
        TooLarge,
        _PARTNER,
        {
            "payload.too_large": (
                (
                    "The decrypted document is larger than `limits.payload_bytes`, a request to "
                    "the OM than four thirds of it and 2 MB."
                ),
                "Make documents smaller or divide them over more messages.",
            ),
            "size.wire": (
                "The body of the request is larger than `limits.wire_bytes`.",
                "Make documents smaller or divide them over more messages.",
            ),
        },
    ),
    *family(
        Refused,
        _PARTNER,
        {
            "request.refused": (
                "The endpoint has no such path or method.",
                "POST to the address in the CPA.",
            ),
        },
    ),
    *family(
        Unavailable,
        (Told.API, Told.EBMS, Told.OPERATOR),
        {
            "busy.memory": (
                "Bodies in hand take all of `limits.memory_bytes`.",
                "Try again after the seconds of Retry-After.",
            ),
            "busy.requests": (
                "All of `limits.requests` bodies are being read.",
                "Try again after the seconds of Retry-After.",
            ),
            "party.suspended": (
                "The party is suspended here (`opgeschort`).",
                "The operator lifts the suspension; until then a partner keeps trying.",
            ),
            "request.failed": (
                "Something unexpected went wrong here.",
                "A bug: look at the log at that moment and report it.",
            ),
        },
    ),
    *family(
        None,
        (Told.OPERATOR,),
        {
            "signal.digests": (
                "An acknowledgement has other digests than the message that was sent.",
                "It does not count. Ask the partner what he received.",
            ),
            "signal.never_sent": (
                "An acknowledgement names a message that was never sent.",
                "It does not count. Ask the partner what he means.",
            ),
            "signal.repeated": ("An acknowledgement came again.", "Nothing."),
            "signal.state": (
                "A signal came for a delivery that had ended.",
                "It is written down; see the trace of the message.",
            ),
            "signal.unknown": (
                "A signal names no delivery to this partner.",
                "It does not count. Ask the partner what he means.",
            ),
        },
    ),
)
