"""What changed between two versions of classification table and approvals, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from gateway.saying import Line
from gateway.toetsing import texts
from gateway.toetsing.bundle import Bundle

NOTHING = "–"


def differences(old: Bundle | None, new: Bundle) -> Iterator[Line]:
    """Yield one line per change, in Dutch; everything is new when there is no old one."""
    yield from _compare(_plain(old.table if old else None), _plain(new.table))
    yield from _compare(_plain(old.approvals if old else None), _plain(new.approvals))


def said(value: Any) -> str:
    """Return a value of a file as one reads it."""
    if isinstance(value, dict):
        parts = (f"{key}: {said(one)}" for key, one in value.items() if key != "id" and one)
        return "; ".join(parts) or NOTHING
    if isinstance(value, list):
        return ", ".join(map(said, value)) or NOTHING
    return str(value) if value not in (None, "") else NOTHING


def _plain(model: BaseModel | None) -> Mapping[str, Any]:
    return {} if model is None else model.model_dump(mode="json")


def _compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Line]:
    for key in {**old, **new}:
        was, comes = old.get(key), new.get(key)
        if was == comes:
            continue
        if key in texts.NEW:
            yield from _parts(key, _by_id(was), _by_id(comes))
        elif key in texts.MORE:
            more, less = texts.MORE[key], texts.LESS[key]
            yield from _items((more, less, texts.ORDER), was, comes, {"id": "", "name": key})
        else:
            yield Line(texts.VALUE[key], {"new": said(comes), "old": said(was)})


def _by_id(value: Any) -> dict[str, Mapping[str, Any]]:
    return {one["id"]: one for one in value or ()}


def _parts(
    key: str, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[Line]:
    """Rules, term lists, approvals and exceptions are known by their id."""
    for id_ in sorted(old.keys() - new.keys()):
        yield Line(texts.GONE[key], {"id": id_, "what": said(old[id_])})
    for id_, part in new.items():
        if id_ not in old:
            yield Line(texts.NEW[key], {"id": id_, "what": said(part)})
        else:
            yield from _fields(id_, old[id_], part)


def _fields(id_: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Line]:
    for name in {**old, **new}:
        was, comes = old.get(name), new.get(name)
        about = {"id": id_, "name": name}
        if was == comes:
            continue
        if isinstance(was, list) and isinstance(comes, list):
            yield from _items((texts.ADDED, texts.TAKEN, texts.ORDER), was, comes, about)
        else:
            yield Line(texts.CHANGED, {**about, "new": said(comes), "old": said(was)})


def _items(
    sentences: tuple[str, str, str], old: Any, new: Any, about: Mapping[str, str]
) -> Iterator[Line]:
    more, less, order = sentences
    come = [said(one) for one in new or () if one not in (old or ())]
    gone = [said(one) for one in old or () if one not in (new or ())]
    if gone:
        yield Line(less, {**about, "what": ", ".join(gone)})
    if come:
        yield Line(more, {**about, "what": ", ".join(come)})
    if not gone and not come:
        yield Line(order, about)
