"""docs/cpa.md: what a CPA is held against, and how it is looked at."""

from gateway.cpa_rules import CpaRule, Weight
from gateway.docs_pages.markdown import table

PATH = "cpa.md"

_INTRODUCTION = """\
# Agreements (CPA)

| To | Do |
|---|---|
| see what is wrong or unwise in a CPA | `gateway cpa lint FILE [--json] [--config FOLDER]` |
| see what the gateway reads in it | `gateway cpa show FILE` |
| see in words what changes with a new one | `gateway cpa diff OLD NEW` |
| put it in place | `gateway cpa import FILE -c FOLDER`, or the console |

`gateway cpa lint` needs no installation; with `--config` the mandates and exceptions
of one count. It prints one line per finding: rule, severity, place in
the CPA, what is wrong, what to do, and the clause; then whether the CPA may be put into use. Exit
status 0: it may, 1: it may not. With `--json`: `cpa_id`, `activeerbaar`, and `bevindingen` with
`regel`, `ernst`, `waar`, `tekst`, `doe`, `bron`.

- **fout** (stops): it can not be carried out or is forbidden. One is enough: not into use.
- **let op** (weak): it works, and is not as Digikoppeling has it or as is wise.

The place is a path in the document, or from whom to whom with the actions (of more than three only
how many), or a party with the reference of a certificate. A certificate or agreement that ends
within 30 days is told. What only an installation knows is judged when it is put in place: chain,
revocation, mandates, and whether the private key of an own certificate is here.

`gateway cpa diff` tells what the console shows before an agreement is put in place: terms, actions
and certificates that change, per direction and for the acknowledgements; which findings are new and
which are gone; and what follows. Exit status 0: both say the same, 1: they differ.

The console shows the same findings at a partner and when an agreement is offered. `gateway doctor`
tells those on the terms of the agreements that are in place; on periods and certificates it has
lines of its own: one that ended beside its successor stops nothing.

## What a partner needs otherwise

A partner whose adapter reads inclusive C14N alone refuses each message and acknowledgement that is
signed for it, with SecurityFailure. Set `canonicalisatie = "inclusief"` at the party in
`gateway.toml` and reload (SIGHUP). It counts for what is signed from then on: an envelope that was
stored already goes again as it is. What that partner signs is read in both forms, whatever is set.

## Rules

An id is never used again for something else. This table is made from `gateway/cpa_rules.py` by
`gateway docs`; a test keeps it so.
"""
_SEVERITY = {Weight.STOPS: "**fout**", Weight.WEAK: "let op"}


def page() -> str:
    """Return docs/cpa.md."""
    heads = ("Rule", "Severity", "What is wrong", "What to do", "Clause")
    rows = [
        (rule.id, _SEVERITY[rule.weight], rule.text, rule.remedy, rule.clause) for rule in CpaRule
    ]
    return "\n".join([_INTRODUCTION, *table(heads, rows)]) + "\n"
