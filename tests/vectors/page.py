"""docs/bad-input.md: what happens to each fault, for who makes the other side."""

from dataclasses import dataclass
from pathlib import Path

from tests.flow.bad_input import Recipe
from tests.vectors.http import TABLE as REQUESTS
from tests.vectors.http import Request
from tests.vectors.kinds import Acknowledged, Answer, Error, Fault, Fo01, Repeated, Vector
from tests.vectors.raw import FILES, Raw
from tests.vectors.signals import TABLE as SIGNALS
from tests.vectors.signals import SignalVector
from tests.vectors.tampered import TABLE
from tests.vectors.topics import Topic

PATH = Path(__file__).parents[2] / "docs" / "bad-input.md"
COMMAND = "python -m tests.vectors"
USUAL = Recipe().profile

_HEAD = f"""# Bad input

What a hub answers to {{count}} messages that are right but for one thing. `make test` sends every
one of them; this page is made of what the tests expect (`{COMMAND}`).

* *Answer*: what comes back in the same HTTP answer. A SOAP Fault says only whose fault it is:
  nobody was proven yet. A MessageError names a code of ebMS 2.0 and a place; it is signed where
  the agreement signs signals. *Acknowledgment* and *Fo01* are sent as messages of their own.
* *Code*: what the operator of the hub finds in audit log, metrics and log;
  [foutcodes.md](foutcodes.md) says what each means and who can help. A dash: none is needed.
* *Agreement*: the Digikoppeling profile of the CPA.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One vector, as the page tells it."""

    name: str
    topic: Topic
    what: str
    agreement: str
    answer: str
    code: str


def lines() -> tuple[Line, ...]:
    """Return every vector there is."""
    return (
        *map(_sealed, TABLE),
        *(_raw(Raw.read(path)) for path in FILES),
        *map(_signal, SIGNALS),
        *map(_request, REQUESTS),
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _sealed(vector: Vector) -> Line:
    what = vector.says or _words(vector.name)
    return Line(
        name=vector.name,
        topic=vector.topic,
        what=what,
        agreement=vector.recipe.profile,
        answer=_told(vector.answer),
        code=vector.code,
    )


def _told(answer: Answer) -> str:
    match answer:
        case Fault(503):
            return "SOAP Fault, 503: try again"
        case Fault(status):
            return f"SOAP Fault, {status}"
        case Error(code, where):
            return _error(code, where)
        case Fo01(code, place):
            return f"Acknowledgment, then Fo01 {code}" + (f" at `{place}`" if place else "")
        case Acknowledged():
            return "Acknowledgment"
        case Repeated():
            return "204, then the Acknowledgment of the first"


def _error(code: str, where: str) -> str:
    return f"MessageError {code} at `{where}`"


def _raw(raw: Raw) -> Line:
    kind, _, detail = raw.answer.partition(" ")
    answer = _error(*detail.split()) if kind == "error" else f"SOAP Fault, {detail}"
    return Line(
        name=raw.name,
        topic=raw.topic,
        what=raw.comment,
        agreement=raw.agreement,
        answer=answer,
        code=raw.expect,
    )


def _signal(vector: SignalVector) -> Line:
    return Line(
        name=vector.name,
        topic=vector.topic,
        what=vector.says or _words(vector.name),
        agreement=USUAL,
        answer="204" if vector.status == 204 else f"SOAP Fault, {vector.status}",
        code=vector.code,
    )


def _request(request: Request) -> Line:
    return Line(
        name=request.name,
        topic=request.topic,
        what=request.says or _words(request.name),
        agreement=USUAL,
        answer=f"HTTP {request.status}",
        code=request.code,
    )


def page() -> str:
    found = lines()
    text = [_HEAD.format(count=len(found)).rstrip()]
    for topic in Topic:
        rows = [line for line in found if line.topic is topic]
        text += [f"\n## {topic[0].upper()}{topic[1:]}\n"]
        text += ["| What is wrong | Agreement | Answer | Code |", "|---|---|---|---|"]
        text += [_row(line) for line in rows]
    return "\n".join(text) + "\n"


def _row(line: Line) -> str:
    what = line.what[0].upper() + line.what[1:]
    code = f"`{line.code}`" if line.code else "–"
    return f"| {what} | {line.agreement} | {line.answer} | {code} |"
