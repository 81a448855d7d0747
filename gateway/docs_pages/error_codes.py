"""docs/foutcodes.md: every code, and which failure gets which answer."""

from collections.abc import Iterator

from gateway.codes import ALL, Code, Told
from gateway.docs_pages.markdown import table
from gateway.docs_pages.messages import severity
from gateway.errors import Finding, GatewayError, IllegalTransition, Limited, SchemaViolation
from gateway.rules.business import RULES
from gateway.web.errors import status_of
from gateway.wire import constraints
from gateway.wire.ebms2.signals import ebms_error
from gateway.wire.fout import stuf_code

PATH = "foutcodes.md"

_INTRODUCTION = """\
# Error codes

A code is stable and dotted; audit rows, metrics, traces, problem details and the details of a
Fo01 name it. Nothing that is shown with a code holds a value of a message.

This page is made from `gateway/codes`, the table of rules and that of XSD constraints by
`gateway docs`; a test keeps it so.

## Which failure gets which answer
"""

_ANSWERS = (
    (
        "Connection, package, SOAP, header, agreement, TLS peer: nobody is proven",
        "SOAP 1.1 Fault, HTTP 500, bland",
        "no",
    ),
    (
        (
            "Signature, decryption, header against CPA, replay with other contents, TimeToLive: the"
            " peer is the party"
        ),
        "ebMS MessageError in the HTTP answer, signed",
        "no",
    ),
    (
        (
            "Schema, rule, route, referentienummer used before for other contents: the sender is"
            " proven"
        ),
        "ebMS Acknowledgment, then a **Fo01**",
        "no; it is not delivered",
    ),
    (
        "The receiver's back-end refuses it in its postvak",
        "**Fo01** of the receiver",
        "yes, and refused",
    ),
    (
        "It can not be delivered and is given up",
        "**Fo01** `StUF058`, details `bezorging.mislukt`",
        "yes, and given up",
    ),
    ("The receiver's back-end confirms it", "**Bv01**", "yes"),
    (
        "Hand-in by a back-end: any of these",
        "problem details (RFC 9457), HTTP 4xx, every finding",
        "no",
    ),
    (
        "Something of ours is down, a revocation list is stale, a partner is suspended",
        "HTTP 503 with Retry-After; over ebMS the partner tries again by himself",
        "no",
    ),
)

_ABOUT_ANSWERS = """
An acknowledgement says that a message arrived, a Bv01 that it was processed: both layers count.
**Fo03, Bv03 and Bv04 are never sent**: they are StUF's synchronous answers, and over ebMS
everything is asynchronous. One that comes in is refused as an unknown message and not answered.
A Bv01 or Fo01 that is wrong is written down and not answered either: no loops.

A Fo01 has `code` (the StUF column below, or the id of a rule), `plek` (`client`: mend the
message; `server`: ours), `omschrijving` (what is wrong first, with the element) and `details`
(dotted code, rule, element path, text and "Wat te doen" of each finding that fits in 1000
characters). Repeating a refused message does not help: the mended one needs a new
referentienummer.

## Codes

*HTTP*: problem details. *ebMS*: errorCode of a MessageError; who is not proven gets a Fault
instead. *StUF*: code of a Fo01. *Again*: the same may succeed later without a change. `*`: any
last part.
"""

_ABOUT_RULES = """
## Rules

A finding of a rule: HTTP 422, or a Fo01 with the StUF code or the id of the rule. Severity is
that of the table; `[[partijen.regels]]` can change it, except *refuse, fixed*. The messages that
each is about have a page in [berichten](berichten/README.md).
"""

_ABOUT_SCHEMA = """
## The schema

A finding of the XSD: HTTP 422, or a Fo01 `StUF055`.
"""

_TOLD = {
    Told.API: "back-end",
    Told.EBMS: "partner",
    Told.FO01: "sender",
    Told.OPERATOR: "operator",
    Told.CONSOLE: "user of the console",
    Told.START: "operator, at start or reload",
}


def page() -> str:
    """Return docs/foutcodes.md."""
    codes = ("Code", "What it means", "What to do", "Told to", "HTTP", "ebMS", "StUF", "Again")
    rules = ("Rule", "Code", "Severity", "StUF", "What is wrong", "What to do", "Messages")
    lines = [
        _INTRODUCTION,
        *table(("What is wrong", "Told by", "Taken in"), _ANSWERS),
        _ABOUT_ANSWERS,
        *table(codes, [_row(one) for one in sorted(ALL, key=lambda one: one.code)]),
        _ABOUT_RULES,
        *table(rules, list(_rules())),
        _ABOUT_SCHEMA,
        *table(("Code", "What is wrong", "What to do"), list(_constraints())),
    ]
    return "\n".join(lines) + "\n"


def _row(one: Code) -> tuple[str, ...]:
    error = _example(one)
    api, ebms = Told.API in one.told, Told.EBMS in one.told
    return (
        f"`{one.code}`",
        one.meaning,
        one.remedy,
        ", ".join(_TOLD[told] for told in one.told),
        str(status_of(error)) if error and api else "",
        _ebms(error) if error and ebms else "",
        (stuf_code(one.code) or "") if Told.FO01 in one.told else "",
        "yes" if one.retry else "",
    )


def _ebms(error: GatewayError) -> str:
    return "HTTP 503" if error.retry else ebms_error(error).code


def _example(one: Code) -> GatewayError | None:
    """Return an error of that code, for the tables that sort errors by code and class."""
    if one.error is None or one.error is IllegalTransition:
        return None
    if one.error is SchemaViolation:
        return SchemaViolation((Finding(code=one.code, rule="", path="", text=""),))
    if issubclass(one.error, Limited):
        return one.error(one.code, "", seconds=1)
    return one.error(one.code, "")


def _rules() -> Iterator[tuple[str, ...]]:
    for rule in RULES:
        yield (
            rule.id,
            f"`{rule.code}`",
            severity(rule),
            stuf_code(rule.code, rule.id) or "",
            rule.text,
            rule.remedy,
            "<br>".join(sorted(rule.messages)) or "all",
        )


def _constraints() -> Iterator[tuple[str, ...]]:
    found = {c.code: c for c in vars(constraints).values() if isinstance(c, constraints.Constraint)}
    for code, one in sorted(found.items()):
        yield f"`{code}`", one.text, one.remedy
