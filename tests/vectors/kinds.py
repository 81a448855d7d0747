"""A sealed melding in which one thing is wrong, and what the hub says to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from tests.flow.bad_input import CID, Recipe
from tests.vectors.topics import Topic


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP Fault: nobody is proven, or nothing can be taken now."""

    status: int = 500


@dataclass(frozen=True, slots=True)
class Error:
    """A MessageError in the answer, signed where signals are."""

    code: str
    where: str


@dataclass(frozen=True, slots=True)
class Fo01:
    """204, an Acknowledgment, and a Fo01 that names code and place."""

    code: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """204 and an Acknowledgment; an answer is never answered."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """204: it is known, the Acknowledgment of the first comes again, nothing else changes."""


Answer = Fault | Error | Fo01 | Acknowledged | Repeated

SIGNATURE = "//Header/Signature"
PART = "//Body/Manifest/Reference"
SECURITY = Error("SecurityFailure", SIGNATURE)
SECURITY_OF_PART = Error("SecurityFailure", PART)
SECURITY_OF_CIPHER = Error("SecurityFailure", f"cid:{CID}")

_GIVEN = frozenset({"profile", "action"})
"""What a recipe starts from: no fault by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    name: str
    topic: Topic
    code: str
    answer: Answer
    recipe: Recipe
    says: str = ""
    """What is wrong, where the name does not tell."""
    more: str = ""
    """Why it takes more than one step to do one thing wrong."""
    hub: Callable[[], Mapping[str, Any]] = dict
    """How the directory of the hub differs."""
    before: Recipe | None = None
    """What came, and was taken in, before."""

    def steps(self) -> list[str]:
        """Return at which steps it differs from a right message at a hub that knows it."""
        recipe = self.recipe
        made = [f for f in fields(recipe) if f.name not in _GIVEN | {"header"}]
        differs = [f.name for f in made if getattr(recipe, f.name) is not f.default]
        differs += recipe.header
        if self.hub is not dict:
            differs.append("hub")
        return differs or ["before"] * (self.before is not None)


def vector(name: str, topic: Topic, code: str, answer: Answer, **steps: Any) -> Vector:
    own = {key: steps.pop(key) for key in ("says", "more", "hub", "before") if key in steps}
    return Vector(name=name, topic=topic, code=code, answer=answer, recipe=Recipe(**steps), **own)
