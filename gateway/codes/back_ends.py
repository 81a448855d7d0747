"""Codes of the REST interface, beside those about the document and signing in."""

from gateway.codes.code import Code, Told, family
from gateway.errors import DuplicateConflict, Malformed, NoRoute, SchemaViolation

_BACK_END = (Told.API,)

BACK_ENDS: tuple[Code, ...] = (
    *family(
        Malformed,
        _BACK_END,
        {
            "request.content_encoding": (
                "The body is compressed.",
                "Send it without Content-Encoding.",
            ),
            "request.content_type": (
                "The Content-Type is not the expected one, or not in UTF-8.",
                "application/xml for a document, application/json for a refusal.",
            ),
            "request.incomplete": (
                "The connection broke before the body was complete.",
                "Send it again.",
            ),
            "request.timeout": ("The body did not come in time.", "Send it again, faster."),
        },
    ),
    *family(
        SchemaViolation,
        _BACK_END,
        {
            "request.query": (
                "A parameter of the query is not known, there twice, or has no such value.",
                "The finding names the parameter and what it can be.",
            ),
            "request.cursor": (
                "The cursor is none that was given here.",
                "Use the link of the page before as it is; start again without one.",
            ),
        },
    ),
    *family(
        NoRoute,
        _BACK_END,
        {
            "bericht.onvindbaar": (
                "There is no such message of this party.",
                "Check the id; a message of another party is not shown.",
            ),
            "postvak.unknown": (
                "This delivery is not in the postvak of this back-end.",
                "Check the id, and the applicaties of the back-end.",
            ),
        },
    ),
    *family(
        DuplicateConflict,
        _BACK_END,
        {
            "postvak.closed": (
                "The delivery was closed before in the other way.",
                "A confirmation can not be turned into a refusal, nor the reverse.",
            ),
        },
    ),
    *family(
        None,
        _BACK_END,
        {
            "agreement.ends": (
                "Trial: the agreement (CPA) with the receiver ends soon.",
                "Ask the operator for a new one.",
            ),
            "duplicate.herhaald": (
                "Trial: this message was handed in before and would get the same answer.",
                "Nothing, if it is meant to be the same one.",
            ),
            "mail.route": (
                "Trial: no agreement has this message: it would go by secure e-mail.",
                "Nothing, if that is meant; else ask the operator for an agreement.",
            ),
            "termijn.aangenomen": (
                "Trial: it was not said whether the message is acute; the longer term is taken.",
                "Give `acuut` with the hand-in.",
            ),
        },
    ),
)
