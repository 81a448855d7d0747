"""Codes about what the OM signed: its decisions, and the confirmation of the gate."""

from gateway.codes.code import Code, Told, family
from gateway.errors import SignatureInvalid

_OM = "The system of the OM must sign as docs/toetsing.md says."

SIGNED: tuple[Code, ...] = (
    *family(
        SignatureInvalid,
        (Told.OPERATOR,),
        {
            "toets.signature.algorithm": (
                "An algorithm or key is forbidden, too weak, or not that of the other.",
                _OM,
            ),
            "toets.signature.certificate": (
                "There is not exactly one readable certificate in the signature.",
                _OM,
            ),
            "toets.signature.digest": (
                "The document is not the one that was signed.",
                "Get it again from the OM; nobody may change it.",
            ),
            "toets.signature.form": (
                "The signature, or the document around it, holds more than the profile has.",
                _OM,
            ),
            "toets.signature.misplaced": (
                "The signature is not the last child of the root.",
                _OM,
            ),
            "toets.signature.missing": ("The document is not signed.", _OM),
            "toets.signature.multiple": ("There is more than one signature.", _OM),
            "toets.signature.party": (
                "It was not signed by the Openbaar Ministerie that was asked.",
                "Only a certificate with the OIN of the party with rol om counts; not a mandate.",
            ),
            "toets.signature.reference": (
                "The signature does not refer to the whole document, once.",
                _OM,
            ),
            "toets.signature.transform": (
                "A transform is not enveloped-signature or exclusive C14N.",
                _OM,
            ),
            "toets.signature.value": ("The signature value does not verify.", _OM),
        },
    ),
)
