"""docs/berichten: a page per message, from schema, rules, catalogue and classification table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.catalogue import REPLIES, Catalogue, MessageKind
from gateway.config_gate import Nature
from gateway.directory import ClassificationRule, ClassificationTable
from gateway.docs_pages.markdown import cell, table
from gateway.docs_pages.structure import PREFIXES, Message, Part, read
from gateway.errors import Severity
from gateway.rules.business import rules_of
from gateway.rules.koppelvlak.rule import Rule
from gateway.wire.toets import KINDS

INDEX = "berichten/README.md"

_MADE = "This page is made from schema and rules by `gateway docs`; a test keeps it so."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the pages are made from."""

    catalogue: Catalogue
    schemas: Path
    """Folder of the schema packs."""
    classification: ClassificationTable
    packs: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    """Entry XSDs that judge in the place of those of the folder, by name and version."""
    link: str = "../../schemas"
    """Where that folder is, seen from a page."""

    @property
    def kinds(self) -> Mapping[tuple[str, str], MessageKind]:
        """Return the messages that have a schema."""
        all_ = self.catalogue.kinds.items()
        return {key: kind for key, kind in sorted(all_) if kind.schema or key in self.packs}


def pages(sources: Sources) -> dict[str, str]:
    """Return every page by its path below docs/, the index first."""
    read_ = {key: _read(sources, kind) for key, kind in sources.kinds.items()}
    made = {INDEX: _index(sources, read_)}
    for key, kind in sources.kinds.items():
        made[f"berichten/{_file(sources, kind)}"] = _page(sources, kind, read_[key])
    return made


def _read(sources: Sources, kind: MessageKind) -> Message:
    pack = sources.packs.get((kind.name, kind.version))
    return read(pack or sources.schemas / kind.schema, kind.name)


def _file(sources: Sources, kind: MessageKind) -> str:
    """The newest version has the name to itself."""
    newest = sources.catalogue.versions(kind.name)[-1] == kind.version
    return f"{kind.name}.md" if newest else f"{kind.name}-{kind.version}.md"


# --- the index ------------------------------------------------------------------------


def _index(sources: Sources, found: Mapping[tuple[str, str], Message]) -> str:
    rows = [
        (
            f"[{kind.name}]({_file(sources, kind)})",
            kind.version,
            found[key].meaning,
            _directions(kind),
            REPLIES.get(kind.name, ""),
        )
        for key, kind in sources.kinds.items()
    ]
    lines = [
        "# Messages",
        "",
        "Every message of the catalogue: what it consists of, the rules beyond its schema, who may",
        "send it to whom, and an example that is valid. What schema and rules say about an element",
        "is given in Dutch, as in findings.",
        "",
        _MADE,
        "",
        *table(("Message", "Version", "What it is", "From → to", "Answered by"), rows),
        "",
        "Every message but a Bv01 or Fo01 is also answered by one of these: see",
        "[foutcodes.md](../foutcodes.md).",
    ]
    return "\n".join(lines) + "\n"


def _directions(kind: MessageKind) -> str:
    if kind.answer:
        return "receiver → sender"
    pairs = sorted((str(d.sender), str(d.receiver)) for d in kind.directions)
    return "<br>".join(f"{sender} → {receiver}" for sender, receiver in pairs) or "nobody"


# --- a page ---------------------------------------------------------------------------


def _page(sources: Sources, kind: MessageKind, message: Message) -> str:
    lines = [
        f"# {kind.name}",
        "",
        message.meaning,
        "",
        _MADE,
        "",
        *table(("", ""), list(_facts(sources, kind, message.parts))),
        "",
        *_elements(message.parts),
        *_rules(kind),
        *_classification(sources.classification, kind),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _facts(
    sources: Sources, kind: MessageKind, parts: tuple[Part, ...]
) -> Iterator[tuple[str, ...]]:
    yield "Version of the koppelvlak", kind.version
    yield "eb:Action and root element", f"`{kind.name}`"
    yield "Namespace of the root", f"`{kind.namespace}`"
    used = {step.partition(":")[0] for part in parts for step in part.spelled.split("/")}
    prefixes = {p: uri for p, uri in PREFIXES.items() if p in used}
    yield "Prefixes below", "<br>".join(f"`{p}` = `{uri}`" for p, uri in prefixes.items())
    yield "From → to", _directions(kind)
    yield "Schema", _schema(sources, kind)
    yield "Example", " · ".join(_examples(sources, kind)) or "none in this pack"
    yield "Answer", _answers(kind)


def _schema(sources: Sources, kind: MessageKind) -> str:
    pack = sources.packs.get((kind.name, kind.version))
    return f"[{pack.name}]({pack.as_uri()})" if pack else _link(sources, kind.schema)


def _link(sources: Sources, path: str) -> str:
    return f"[{path.rpartition('/')[2]}]({sources.link}/{path})"


def _examples(sources: Sources, kind: MessageKind) -> Iterator[str]:
    if (kind.name, kind.version) in sources.packs:
        return
    folder = (sources.schemas / kind.schema).parent / "examples"
    for path in sorted(folder.glob(f"{kind.name}*.xml")):
        if path.stem.partition("-")[0] == kind.name:
            yield _link(sources, path.relative_to(sources.schemas).as_posix())


def _answers(kind: MessageKind) -> str:
    if kind.answer:
        return "none: an answer is never answered"
    reply = REPLIES.get(kind.name)
    also = f"; later `{reply}`" if reply else ""
    return f"`Bv01Bericht` when it was processed, `Fo01Bericht` when it was refused{also}"


def _elements(parts: tuple[Part, ...]) -> Iterator[str]:
    yield "## Elements"
    yield ""
    yield "In this order. *n*: any number. *Choice*: one of those that exclude each other. *Nil*:"
    yield "may be empty with `xsi:nil`. `?`: optional attribute. Attributes of StUF's bookkeeping"
    yield "(`StUF:exact`, `StUF:noValue`, `StUF:sleutelVerzendend` and the like) are left out."
    yield ""
    heads = ("Element", "Number", "Value", "Attributes", "Meaning")
    yield from table(heads, [_element(part) for part in parts])
    yield ""


def _element(part: Part) -> tuple[str, ...]:
    number = part.cardinality + (" choice" if part.choice else "")
    allowed = "one of: " + " · ".join(part.allowed) if part.allowed else ""
    nil = "nil" if part.nillable else ""
    value = "<br>".join(word for word in (allowed or part.value, nil) if word)
    attributes = "<br>".join(f"`{one}`" for one in part.attributes)
    return f"`{part.spelled}`", number, value, attributes, part.meaning


def _rules(kind: MessageKind) -> Iterator[str]:
    yield "## Rules beyond the schema"
    yield ""
    yield "*Refuse* and *warn* can differ by partner (`[[partijen.regels]]`); *fixed* can not."
    yield ""
    heads = ("Rule", "Code", "Severity", "What is wrong", "What to do", "Ground")
    yield from table(heads, [_rule(rule) for rule in rules_of(kind.name)])
    yield ""


def _rule(rule: Rule) -> tuple[str, ...]:
    return rule.id, f"`{rule.code}`", severity(rule), rule.text, rule.remedy, rule.ground


def severity(rule: Rule) -> str:
    """Return the severity of the table, in a word."""
    if rule.severity is Severity.WARN:
        return "warn"
    return "refuse, fixed" if rule.fixed else "refuse"


def _classification(found: ClassificationTable, kind: MessageKind) -> Iterator[str]:
    yield "## Classification"
    yield ""
    yield from _classified(found, kind)


def _classified(found: ClassificationTable, kind: MessageKind) -> Iterator[str]:
    if kind.name in found.exempt and kind.name in KINDS:
        yield "Exempt: a message of the gate itself, which no back-end can hand in."
        return
    if kind.name in found.exempt:
        yield "Exempt: it holds no strafrechtelijke gegevens by its nature."
        return
    if not found.knows(kind.name, kind.version):
        yield "The classification table does not name it: what the politie sends to anyone but the"
        yield "OM is held until an officer decides."
        return
    yield f"Table {cell(found.version)}. What the politie sends to anyone but the OM is held for a"
    yield "decision when one of these elements counts; what is `doorlopend` passes under a standing"
    yield "approval of its category."
    yield ""
    rows = [
        (rule.id, f"`{rule.path}`", _when(rule), rule.category, str(rule.mode), rule.reason)
        for rule in found.rules
        if rule.message == kind.name
    ]
    head = ("Line", "Element", "Counts when", "Category", "Approval", "Reason")
    yield from table(head, rows) if rows else ["None."]


def _when(rule: ClassificationRule) -> str:
    if rule.nature is Nature.FREE_TEXT:
        counts = "it has a word of a term list"
    elif rule.condition == "filled":
        counts = "filled"
    else:
        counts = f"other than {rule.condition.removeprefix('not:').replace(',', ', ')}"
    if rule.beside is None:
        return counts
    is_ = "is" if rule.beside.among else "is not"
    return f"{counts}, and {rule.beside.name} {is_} {', '.join(sorted(rule.beside.texts))}"
