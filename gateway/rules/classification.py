"""Does a document hold strafrechtelijke gegevens? A table of the OM says (domain 9.1.3).

The sender's label never decides alone, and a message that the table does not name is not
classified: whoever asks holds it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from gateway.directory import ClassificationRule, ClassificationTable, Mode
from gateway.errors import Misconfigured
from gateway.message import Aanlevering
from gateway.wire.stuf import Document, value_of
from gateway.wire.xml import path_of

SHOWN_PER_RULE = 10
"""A rule that matches more often gives this many reasons; one is enough to hold."""

_NOT = "not:"
_STEPS = re.compile(r"[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a message is held, without any value of it."""

    rule: str
    path: str
    text: str
    """In Dutch, shown to officer and sender."""
    wpg_artikel: str = ""
    category: str = ""
    """Kind of data, by the table; empty = none in particular."""
    mode: Mode = Mode.INDIVIDUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the table says of one document, with what the back-end said beside it.

    `wpg_artikel` and `onderzoek` are None when the back-end did not say: unknown.
    """

    table_version: str
    classified: bool
    """False when the table does not name the message, or was not written for its version."""
    exempt: bool
    """True for messages that the table exempts by their nature (Bv01, Fo01)."""
    reasons: tuple[Reason, ...]
    wpg_artikel: str | None
    onderzoek: bool | None


FORESEEN = frozenset({"acuut", "onderzoek", "wpgArtikel"})
"""Names of extraElementen that hold no data of the case, with a plain value (domain 9.3)."""

_PLAIN = frozenset({"ja", "nee", "j", "n", "true", "false", "8", "9", "10", "13"})


def classify(
    document: Document, aanlevering: Aanlevering, *, version: str, table: ClassificationTable
) -> Verdict:
    """Apply every rule of the table to the document; `version` is that of the koppelvlak.

    Raises Misconfigured for a rule that can not be read: see `check_table`.
    """
    exempt = document.name in table.exempt
    known = version in table.koppelvlak and document.name in table.messages
    classified = exempt or known
    rules = (r for r in table.rules if r.message == document.name and not exempt)
    return Verdict(
        table_version=table.version,
        classified=classified,
        exempt=exempt,
        reasons=(
            *(reason for rule in rules for reason in _matches(document, rule)),
            *(() if exempt else _extra(document)),
            *(() if exempt else _comments(document)),
        ),
        wpg_artikel=(aanlevering.wpg_artikel or "").strip() or None,
        onderzoek=aanlevering.onderzoek,
    )


def check_table(table: ClassificationTable) -> None:
    """Raise Misconfigured for a table that does not mean what it seems to mean.

    `gate.condition`: a condition of an unknown form; `gate.path`: not a path of local names;
    `gate.message`: a rule for a message that the table does not classify.
    """
    for rule in table.rules:
        _condition(rule)
        _path(rule)
        if rule.message not in table.messages - table.exempt:
            raise Misconfigured("gate.message", "rule for an unnamed message", where=rule.id)


def _matches(document: Document, rule: ClassificationRule) -> Iterator[Reason]:
    condition = _condition(rule)
    found = (e for e in document.tree.iterfind(_path(rule)) if condition(_text(e)))
    for element in islice(found, SHOWN_PER_RULE):
        yield Reason(
            rule=rule.id,
            path=path_of(element),
            text=rule.reason or "Dit element is gevuld.",
            wpg_artikel=rule.wpg_artikel,
        )


def _extra(document: Document) -> Iterator[Reason]:
    """A filled extraElement says what no table foresaw: unclear is held (domain 9.3)."""
    found = (e for e in document.tree.iter("{*}extraElement") if _text(e))
    for element in islice(found, SHOWN_PER_RULE):
        if element.get("naam") not in FORESEEN or _text(element) not in _PLAIN:
            yield Reason(
                rule="extraElement",
                path=path_of(element),
                text="Dit extra element is niet geclassificeerd.",
            )


def _comments(document: Document) -> Iterator[Reason]:
    """Comments and processing instructions are words that no schema and no table sees."""
    for node in document.tree.getroottree().getroot().iter(etree.Comment, etree.PI):
        parent = node.getparent()
        yield Reason(
            rule="commentaar",
            path=path_of(parent if parent is not None else document.tree),
            text="Het bericht bevat commentaar of een verwerkingsinstructie.",
        )
        return


def _path(rule: ClassificationRule) -> str:
    """Return the path for lxml: names in any namespace, so that none is overlooked."""
    if not _STEPS.fullmatch(rule.path):
        raise Misconfigured("gate.path", "path of a rule is not one of names", where=rule.id)
    return "/".join(f"{{*}}{step}" for step in rule.path.split("/"))


def _text(element: etree._Element) -> str:
    """Return the text with its white space made even, fit for comparing."""
    return " ".join(value_of(element).split()).casefold()


def _condition(rule: ClassificationRule) -> Callable[[str], bool]:
    """Return the test; an empty element never counts, whatever the condition."""
    if rule.condition == "filled":
        return bool
    if rule.condition.startswith(_NOT):
        words = rule.condition.removeprefix(_NOT).split(",")
        allowed = frozenset(" ".join(word.split()).casefold() for word in words)
        return lambda text: bool(text) and text not in allowed
    raise Misconfigured("gate.condition", "condition of a rule is not known", where=rule.id)
