"""Does a document hold strafrechtelijke gegevens? A table of the OM says (domain 9.1.3).

The sender's label never decides alone, and a message that the table does not name is not
classified: whoever asks holds it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from lxml import etree

from gateway.config_gate import Mode, Nature
from gateway.directory import ClassificationRule, ClassificationTable
from gateway.errors import Misconfigured
from gateway.message import Aanlevering
from gateway.rules.free_text import FreeText, usable
from gateway.wire.stuf import Document, value_of
from gateway.wire.xml import beside_root, path_of

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
    unclear: bool = False
    """Nobody can tell from the element what it holds."""


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


_YES, _NO = frozenset({"ja", "j", "true"}), frozenset({"nee", "n", "false"})
FORESEEN = frozenset({"acuut", "onderzoek", "wpgArtikel"})
"""Names of extraElementen that hold no data of the case, with a plain value (domain 9.3)."""

_PLAIN = _YES | _NO | {"8", "9", "10", "13"}


def classify(
    document: Document, aanlevering: Aanlevering, *, version: str, table: ClassificationTable
) -> Verdict:
    """Apply every rule of the table to the document; `version` is that of the koppelvlak.

    Raises Misconfigured for a rule that can not be read: see `check_table`.
    """
    exempt = document.name in table.exempt
    classified = exempt or table.knows(document.name, version)
    rules = (r for r in table.rules if r.message == document.name and not exempt)
    return Verdict(
        table_version=table.version,
        classified=classified,
        exempt=exempt,
        reasons=(
            *(reason for rule in rules for reason in _of_rule(document, rule, table)),
            *(() if exempt else _extra(document)),
            *(() if exempt else _comments(document)),
        ),
        wpg_artikel=(aanlevering.wpg_artikel or "").strip() or None,
        onderzoek=aanlevering.onderzoek,
    )


def said_in(document: Document) -> Aanlevering:
    """Return what the sender says of the case in extraElementen (domain 9.3); unsaid is unknown.

    Who says two things says nothing.
    """
    said: dict[str, set[str]] = {}
    for element in document.tree.iter("{*}extraElement"):
        said.setdefault(element.get("naam", ""), set()).add(_text(element))
    articles = said.get("wpgArtikel", set())
    return Aanlevering(
        acuut=_yes(said.get("acuut")),
        onderzoek=_yes(said.get("onderzoek")),
        wpg_artikel=next(iter(articles)) if len(articles) == 1 else None,
    )


def _yes(texts: set[str] | None) -> bool | None:
    if texts and texts <= _YES:
        return True
    return False if texts and texts <= _NO else None


def check_table(table: ClassificationTable) -> None:
    """Raise Misconfigured for a table that does not mean what it seems to mean.

    `gate.condition`: a condition of an unknown form; `gate.path`: not a path of local names;
    `gate.message`: a rule for a message that the table does not classify; `gate.rule`: an id
    twice, or free text with a condition; `gate.terms`: a list without words.
    """
    if len({rule.id for rule in table.rules}) < len(table.rules):
        raise Misconfigured("gate.rule", "two rules have the same id")
    for terms in table.terms:
        if not terms.terms or not all(map(usable, terms.terms)):
            raise Misconfigured("gate.terms", "a list without usable words", where=terms.name)
    for rule in table.rules:
        _condition(rule)
        _path(rule)
        if rule.nature is Nature.FREE_TEXT and rule.condition != "filled":
            raise Misconfigured("gate.rule", "free text goes by terms alone", where=rule.id)
        if rule.message not in table.messages - table.exempt:
            raise Misconfigured("gate.message", "rule for an unnamed message", where=rule.id)


def _of_rule(
    document: Document, rule: ClassificationRule, table: ClassificationTable
) -> Iterator[Reason]:
    judge = _free_text(document, table) if rule.nature is Nature.FREE_TEXT else _plainly(rule)
    found = ((e, judge(e)) for e in document.tree.iterfind(_path(rule)) if _beside(rule, e))
    counts = ((element, why) for element, why in found if why is not None)
    for element, why in islice(counts, SHOWN_PER_RULE):
        yield Reason(
            rule=rule.id,
            path=path_of(element),
            text=" ".join(filter(None, (rule.reason or "Dit element is gevuld.", why.text))),
            wpg_artikel=rule.wpg_artikel,
            category=rule.category,
            mode=rule.mode,
            unclear=why.unclear,
        )


@dataclass(frozen=True, slots=True)
class _Why:
    text: str = ""
    """Beside the reason of the rule; empty = that says it all."""
    unclear: bool = False


class _Judge(Protocol):
    """Says why an element counts; None = it does not."""

    def __call__(self, element: etree._Element, /) -> _Why | None: ...


def _plainly(rule: ClassificationRule) -> _Judge:
    condition = _condition(rule)
    why = _Why(unclear=rule.nature is Nature.UNCLEAR)
    return lambda element: why if condition(_text(element)) else None


def _free_text(document: Document, table: ClassificationTable) -> _Judge:
    """Free text counts for this receiver, or by a term; the term itself is never told."""
    ontvanger = document.stuurgegevens.ontvanger
    receiver = ontvanger.organisatie if ontvanger else ""
    if receiver in table.free_text:
        every = _Why("Vrije tekst telt voor deze ontvanger.")
        return lambda element: every if value_of(element) else None
    lists = [t for t in table.terms if t.receivers is None or receiver in t.receivers]

    def judge(element: etree._Element) -> _Why | None:
        text = FreeText(value_of(element))
        name = text.list_met(lists)
        if name is not None:
            return _Why(f"De tekst bevat een woord van de lijst {name}.")
        if lists and text.mixes_alphabets():
            return _Why("Een woord van de tekst mengt alfabetten.", unclear=True)
        return None

    return judge


def _beside(rule: ClassificationRule, element: etree._Element) -> bool:
    """Tell whether the element beside it says that this one counts; a missing one does."""
    beside, parent = rule.beside, element.getparent()
    if beside is None or parent is None:
        return True
    found = [_text(one) for one in parent.iterchildren(f"{{*}}{beside.name}")]
    return not found or any((text in beside.texts) is beside.among for text in found)


def _extra(document: Document) -> Iterator[Reason]:
    """A filled extraElement says what no table foresaw: unclear is held (domain 9.3)."""
    found = (e for e in document.tree.iter("{*}extraElement") if _text(e))
    for element in islice(found, SHOWN_PER_RULE):
        if element.get("naam") not in FORESEEN or _text(element) not in _PLAIN:
            yield Reason(
                rule="extraElement",
                path=path_of(element),
                text="Dit extra element is niet geclassificeerd.",
                unclear=True,
            )


def _comments(document: Document) -> Iterator[Reason]:
    """Comments and processing instructions are words that no schema and no table sees.

    They may stand before and after the root element as well, and leave with it.
    """
    for node in islice(_unseen(document.tree), 1):
        parent = node.getparent()
        yield Reason(
            rule="commentaar",
            path=path_of(parent if parent is not None else document.tree),
            text="Het bericht bevat commentaar of een verwerkingsinstructie.",
            unclear=True,
        )


def _unseen(tree: etree._Element) -> Iterator[etree._Element]:
    yield from beside_root(tree)
    yield from tree.getroottree().getroot().iter(etree.Comment, etree.PI)


def _path(rule: ClassificationRule) -> str:
    """Return the path for lxml: names in any namespace, so that none is overlooked."""
    if not _STEPS.fullmatch(rule.path):
        raise Misconfigured("gate.path", "path of a rule is not one of names", where=rule.id)
    return "/".join(f"{{*}}{step}" for step in rule.path.split("/"))


def _text(element: etree._Element) -> str:
    """Return the text with its white space made even, fit for comparing."""
    return " ".join(value_of(element).split()).casefold()


def folded(words: Iterable[str]) -> frozenset[str]:
    """Return words as texts of elements are compared with them."""
    return frozenset(" ".join(word.split()).casefold() for word in words)


def _condition(rule: ClassificationRule) -> Callable[[str], bool]:
    """Return the test; an empty element never counts, whatever the condition."""
    if rule.condition == "filled":
        return bool
    if rule.condition.startswith(_NOT):
        allowed = folded(rule.condition.removeprefix(_NOT).split(","))
        return lambda text: bool(text) and text not in allowed
    raise Misconfigured("gate.condition", "condition of a rule is not known", where=rule.id)
