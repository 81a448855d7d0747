"""What a change of table and approvals does: what will be held that was not, and the reverse.

Beside the differences, which say what was changed in the files. What can go both ways, as another
path or condition of a rule, is told as such: only an officer can tell.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.config_gate import ApprovalSettings, Mode, Nature, RuleSettings, TermsSettings
from gateway.saying import Line
from gateway.toetsing.bundle import Bundle
from gateway.toetsing.texts import Effect


@dataclass(frozen=True, slots=True)
class Effects:
    """In sentences, by what becomes of messages."""

    held: tuple[Line, ...] = ()
    """Passed until now, and waits for an officer from now on."""
    passing: tuple[Line, ...] = ()
    """Was held until now, and is not any more."""
    either: tuple[Line, ...] = ()
    """May be held that was not, or the reverse."""


@dataclass(slots=True)
class _Found:
    name: Callable[[str], str]
    held: list[Line] = field(default_factory=list)
    passing: list[Line] = field(default_factory=list)
    either: list[Line] = field(default_factory=list)


def effects(old: Bundle, new: Bundle, *, name: Callable[[str], str] = str) -> Effects:
    """Return what becomes of messages when `new` comes in the place of `old`.

    `name` returns what a party is called, by its OIN.
    """
    found = _Found(name)
    _lists(old, new, found)
    _rules(old, new, found)
    _terms(old, new, found)
    _approvals(old, new, found)
    if old.table.versies != new.table.versies:
        found.either.append(Line(Effect.VERSIONS))
    if old.approvals.uitzonderingen != new.approvals.uitzonderingen:
        found.either.append(Line(Effect.EXCEPTIONS))
    return Effects(tuple(found.held), tuple(found.passing), tuple(found.either))


def _lists(old: Bundle, new: Bundle, found: _Found) -> None:
    """What stands in more lists of messages is held less, free text of receivers more."""
    was, comes = old.table, new.table
    for before, after, no_more, more in (
        (was.berichten, comes.berichten, Effect.UNCLASSIFIED, Effect.CLASSIFIED),
        (was.koppelvlak, comes.koppelvlak, Effect.VERSION_GONE, Effect.VERSION),
        (was.vrijgesteld, comes.vrijgesteld, Effect.JUDGED, Effect.EXEMPT),
    ):
        found.held += (Line(no_more, {"what": one}) for one in before if one not in after)
        found.passing += (Line(more, {"what": one}) for one in after if one not in before)
    before, after = was.vrije_tekst, comes.vrije_tekst
    come = [found.name(one) for one in after if one not in before]
    gone = [found.name(one) for one in before if one not in after]
    found.held += (Line(Effect.FREE_TEXT, {"what": one}) for one in come)
    found.passing += (Line(Effect.NO_FREE_TEXT, {"what": one}) for one in gone)


# --- rules ----------------------------------------------------------------------------


def _rules(old: Bundle, new: Bundle, found: _Found) -> None:
    was = {rule.id: rule for rule in old.table.regels}
    comes = {rule.id: rule for rule in new.table.regels}
    for id_, rule in comes.items():
        if id_ not in was:
            found.held.append(_of_rule(_holding(rule), rule))
        else:
            _changed_rule(was[id_], rule, found)
    for id_, rule in was.items():
        if id_ not in comes:
            found.passing.append(_of_rule(Effect.RULE_GONE, rule))


def _holding(rule: RuleSettings) -> Effect:
    if rule.soort is Nature.FREE_TEXT:
        return Effect.RULE_FREE_TEXT
    return Effect.RULE_STANDING if rule.toestemming is Mode.STANDING else Effect.RULE


def _changed_rule(was: RuleSettings, comes: RuleSettings, found: _Found) -> None:
    """Of the words for people (reden) nothing follows."""
    if comes.toestemming is not was.toestemming:
        if comes.toestemming is Mode.INDIVIDUAL:
            found.held.append(_of_rule(Effect.RULE_INDIVIDUAL, comes))
        else:
            found.passing.append(_of_rule(Effect.RULE_NOW_STANDING, comes))
    if _reach(was) != _reach(comes):
        found.either.append(_of_rule(Effect.RULE_OTHER, comes))


def _reach(rule: RuleSettings) -> RuleSettings:
    """Return the rule without what says only who lets it pass, and why it is there."""
    return rule.model_copy(update={"toestemming": Mode.INDIVIDUAL, "reden": "-"})


def _of_rule(effect: Effect, rule: RuleSettings) -> Line:
    return Line(effect, {"rule": rule.id, "message": rule.bericht, "path": rule.pad})


# --- words of free text -----------------------------------------------------------------


def _terms(old: Bundle, new: Bundle, found: _Found) -> None:
    was = {terms.id: terms for terms in old.table.termen}
    comes = {terms.id: terms for terms in new.table.termen}
    for id_ in {**was, **comes}:
        before, after = _words(was.get(id_)), _words(comes.get(id_))
        found.held += _of_words(Effect.WORDS, id_, [w for w in after if w not in before])
        found.passing += _of_words(Effect.WORDS_GONE, id_, [w for w in before if w not in after])
        if id_ in was and id_ in comes and was[id_].ontvangers != comes[id_].ontvangers:
            found.either.append(Line(Effect.WORDS_RECEIVERS, {"list": id_}))


def _words(terms: TermsSettings | None) -> tuple[str, ...]:
    return () if terms is None else terms.woorden


def _of_words(effect: Effect, list_: str, words: list[str]) -> Iterator[Line]:
    if words:
        yield Line(effect, {"list": list_, "what": ", ".join(words)})


# --- standing approvals -----------------------------------------------------------------


_COVERS: Mapping[str, tuple[Effect, Effect]] = {
    "berichten": (Effect.MESSAGE_LESS, Effect.MESSAGE_MORE),
    "ontvangers": (Effect.RECEIVER_LESS, Effect.RECEIVER_MORE),
    "wpg_artikelen": (Effect.ARTICLE_LESS, Effect.ARTICLE_MORE),
    "categorieen": (Effect.CATEGORY_LESS, Effect.CATEGORY_MORE),
}
"""What an approval covers: when there is less of it, and when there is more."""


def _approvals(old: Bundle, new: Bundle, found: _Found) -> None:
    was = {one.id: one for one in old.approvals.toestemmingen}
    comes = {one.id: one for one in new.approvals.toestemmingen}
    for id_, one in comes.items():
        if id_ not in was:
            found.passing.append(_of_approval(Effect.APPROVAL, one, found))
        else:
            _changed_approval(was[id_], one, found)
    for id_, one in was.items():
        if id_ not in comes:
            found.held.append(_of_approval(Effect.APPROVAL_GONE, one, found))


def _changed_approval(was: ApprovalSettings, comes: ApprovalSettings, found: _Found) -> None:
    for field_, (narrower, wider) in _COVERS.items():
        before, after = getattr(was, field_), getattr(comes, field_)
        call = found.name if field_ == "ontvangers" else str
        less = [call(one) for one in before if one not in after]
        more = [call(one) for one in after if one not in before]
        if less:
            found.held.append(Line(narrower, {"id": comes.id, "what": ", ".join(less)}))
        if more:
            found.passing.append(Line(wider, {"id": comes.id, "what": ", ".join(more)}))
    if (was.geldig_van, was.geldig_tot) != (comes.geldig_van, comes.geldig_tot):
        period = {"since": comes.geldig_van, "until": comes.geldig_tot}
        found.either.append(Line(Effect.APPROVAL_PERIOD, {"id": comes.id, **period}))


def _of_approval(effect: Effect, one: ApprovalSettings, found: _Found) -> Line:
    receivers = ", ".join(map(found.name, one.ontvangers))
    covers = {"messages": ", ".join(one.berichten), "receivers": receivers}
    return Line(effect, {"id": one.id, **covers})
