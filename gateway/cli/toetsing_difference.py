"""What changed between two versions of classification table and approvals, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from gateway.cli.toetsing_bundle import Bundle


def differences(old: Bundle | None, new: Bundle) -> Iterator[str]:
    """Yield one line per change, in Dutch; everything is new when there is no old one."""
    yield from _compare("tabel", _plain(old.table if old else None), _plain(new.table))
    yield from _compare(
        "toestemmingen", _plain(old.approvals if old else None), _plain(new.approvals)
    )


def _plain(model: BaseModel | None) -> Mapping[str, Any]:
    return {} if model is None else model.model_dump(mode="json")


def _compare(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in {**old, **new}:
        yield from _value(f"{where}, {key}", old.get(key), new.get(key))


def _value(where: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if _has_ids(old) or _has_ids(new):
        yield from _lines(where, _by_id(old), _by_id(new))
    elif isinstance(old, list) or isinstance(new, list):
        yield from _words(where, old or [], new or [])
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _compare(where, old, new)
    else:
        yield f"{where}: {_said(old)} → {_said(new)}"


def _has_ids(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and "id" in one for one in value)
    )


def _by_id(value: Any) -> dict[str, Mapping[str, Any]]:
    return {one["id"]: one for one in value or ()}


def _lines(
    where: str, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for id_ in old.keys() - new.keys():
        yield f"{where}: {id_} vervalt ({_all(old[id_])})"
    for id_, line in new.items():
        if id_ not in old:
            yield f"{where}: {id_} is nieuw ({_all(line)})"
        else:
            yield from _compare(f"{where} {id_}", old[id_], line)


def _words(where: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    gone = [_said(one) for one in old if one not in new]
    come = [_said(one) for one in new if one not in old]
    if gone:
        yield f"{where}: {', '.join(gone)} vervalt"
    if come:
        yield f"{where}: {', '.join(come)} komt erbij"
    if not gone and not come:
        yield f"{where}: andere volgorde"


def _all(line: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{key}: {_said(value)}" for key, value in line.items() if key != "id" and value
    )


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value) or "geen"
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if isinstance(value, dict):
        return _all(value)
    return str(value) if value not in (None, "") else "geen"
