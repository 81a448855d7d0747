"""Codes of importing: why a certificate, key or revocation list is not put in place."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    CertificateRejected,
    GatewayError,
    PolicyViolation,
    RevocationUnknown,
    Unavailable,
)

_REFUSED = family(
    CertificateRejected,
    (Told.OPERATOR, Told.CONSOLE),
    {
        "certs.algorithm": (
            "The certificate is signed with an algorithm that is too weak or unknown.",
            "Apply for one that is signed with SHA-256 or better.",
        ),
        "certs.anchor_unconfirmed": (
            "The thumbprint of the anchor was not given, or is another.",
            "Give it with --sha256 as the issuer publishes it; do not take it from the file.",
        ),
        "certs.crl_issuer": (
            "The list is not signed by a CA that is known here.",
            "Fetch it again, or import the certificate of its issuer first.",
        ),
        "certs.crl_kind": (
            "The list can not be used alone: delta, indirect, without a next date, or weak.",
            "Fetch the complete list.",
        ),
        "certs.crl_older": (
            "There is a newer list of this issuer here already.",
            "Nothing, or fetch the newest.",
        ),
        "certs.crl_stale": ("The list is stale already.", "Fetch the next one."),
        "certs.expired": ("The certificate has expired.", "Apply for a new one."),
        "certs.key_elsewhere": (
            "The private key of the certificate is not on this machine.",
            "Put it in the folder of keys (mode 0600), or give both to `gateway certs import`.",
        ),
        "certs.key_uploaded": (
            "There is a private key in the file; none goes through a browser. Nothing was kept.",
            "Offer the certificate alone; when somebody may have seen the key, make a new one.",
        ),
        "certs.moved": (
            "Something else was changed since this was looked at; nothing was written.",
            "Look at it again.",
        ),
        "certs.key_mismatch": (
            "The private key is not that of the certificate.",
            "Give the key that it was applied for with.",
        ),
        "certs.key_missing": (
            "There is no private key in the file that was given.",
            "Give it with --key.",
        ),
        "certs.key_open": (
            "The private key can be read by others.",
            "chmod 600; when somebody may have read it, make a new key.",
        ),
        "certs.key_unreadable": (
            "The private key can not be read or has a passphrase.",
            "Make it PEM without a passphrase: openssl pkey.",
        ),
        "certs.kind": ("The file can not be what it is offered for.", "Look at --voor."),
        "certs.not_an_authority": (
            "The certificate may not issue certificates.",
            "Look at --voor.",
        ),
        "certs.not_self_signed": (
            "The anchor is not signed by itself.",
            "When it is a CA below an anchor: --voor intermediate.",
        ),
        "certs.not_yet_valid": ("The certificate is not valid yet.", "Come back when it is."),
        "certs.oin": (
            "There is no OIN in subject.serialNumber (DK-SEC PKI001).",
            "Apply for a certificate with one.",
        ),
        "certs.party": (
            "The OIN is not that of the own party, and there is no mandate.",
            "Apply for one of the own organisation, or record the mandate.",
        ),
        "certs.party_unknown": (
            "The certificate is not of a partner that is known here.",
            "Check the OIN, or add the party to gateway.toml.",
        ),
        "certs.revoked": ("The certificate is revoked.", "Apply for a new one."),
        "certs.same": ("It is in use already; nothing was changed.", "Nothing."),
        "certs.several": (
            "The file holds more than one certificate of its kind, or none.",
            "Split it.",
        ),
        "certs.several_lists": (
            "The file holds more than one revocation list.",
            "Split it: each takes the place of the one before it.",
        ),
        "certs.unreadable": (
            "The file is no certificate and no revocation list.",
            "Make it PEM or DER; PKCS#12 with openssl pkcs12.",
        ),
        "certs.untrusted": (
            "There is no path to an anchor.",
            "Import the certificate of the issuer first.",
        ),
        "certs.usage": (
            "The certificate is not for this use.",
            "Apply for one that is, or give another --voor.",
        ),
        "certs.use_unclear": ("The certificate does not say what it is for.", "Give --voor."),
        "certs.weak_key": (
            "The key is too weak or of the wrong kind.",
            "Apply for a certificate with RSA of at least 2048 bits, or EC on P-256 or larger.",
        ),
    },
)
_UNKNOWN = family(
    RevocationUnknown,
    (Told.OPERATOR, Told.CONSOLE),
    {
        "certs.revocation_unknown": (
            "There is no fresh revocation list of the issuer here.",
            "Import that list first.",
        ),
    },
)
_FAILED = family(
    GatewayError,
    (Told.OPERATOR, Told.CONSOLE),
    {
        "certs.no_listener": ("The installation has no such listener.", "Look at --voor."),
        "certs.busy": (
            "It was written; the running process was too busy to show what it uses.",
            "Look again with `gateway doctor` in a while.",
        ),
        "certs.not_shown": (
            "It was written, and a running process still shows the old certificate.",
            "Look for directory.not_reloaded in the log, or start the processes again in turn.",
        ),
        "certs.not_written": (
            "The file can not be written; everything is as it was.",
            "Look at the owner of the folder and at the disk.",
        ),
    },
)
_TURN = family(
    Unavailable,
    (Told.OPERATOR, Told.CONSOLE),
    {
        "import.bezig": (
            "Another process changes the files of the installation; nothing was written.",
            "Try again in a while; look for a `gateway certs` or `gateway cpa import` that hangs.",
        ),
    },
)
_CPA = (Told.OPERATOR, Told.CONSOLE)
_AGREEMENTS = (
    *family(
        PolicyViolation,
        _CPA,
        {
            "cpas.certificate_party": (
                "A certificate in the CPA is of another organisation than the party that uses it.",
                "Ask for a right CPA, or record the mandate.",
            ),
            "cpas.ended": ("The CPA has ended already.", "Ask for a new one."),
            "cpas.key": (
                "The private key of an own certificate in the CPA is not here.",
                "Import that certificate with its key first.",
            ),
            "cpas.moved": (
                "Something else was changed since this was looked at; nothing was written.",
                "Look at it again.",
            ),
            "cpas.party_unknown": (
                "The other party of the CPA is not known here.",
                "Add it to [[partijen]] in gateway.toml first.",
            ),
            "cpas.rules": (
                "The CPA can not be carried out as it is, or holds something forbidden.",
                "Look with gateway cpa lint what must change; docs/cpa.md has every rule.",
            ),
            "cpas.same": ("This very CPA is in place already; nothing was changed.", "Nothing."),
            "cpas.service": (
                "Of no service in the CPA the version is known here.",
                "Add the service to [diensten] in gateway.toml first.",
            ),
            "cpas.status": (
                "The CPA is a proposal yet.",
                "Have it agreed: status agreed or signed.",
            ),
            "cpas.stranger": (
                "The own party is not in the CPA.",
                "Look whether this is the file for this installation.",
            ),
        },
    ),
    *family(
        CertificateRejected,
        _CPA,
        {
            "cpas.certificate": (
                "A certificate in the CPA can not be used.",
                "Ask for a CPA with a good one, or import the certificate of its issuer first.",
            ),
        },
    ),
    *family(
        RevocationUnknown,
        _CPA,
        {
            "cpas.revocation_unknown": (
                "There is no fresh revocation list of the issuer of a certificate in the CPA.",
                "Import that list first.",
            ),
        },
    ),
    *family(
        GatewayError,
        _CPA,
        {
            "cpas.not_written": (
                "The CPA can not be written; everything is as it was.",
                "Look at the owner of the folder and at the disk.",
            ),
        },
    ),
)
CERTIFICATES: tuple[Code, ...] = (*_REFUSED, *_UNKNOWN, *_FAILED, *_TURN, *_AGREEMENTS)
