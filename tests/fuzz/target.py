"""What is fuzzed: a parser, what it may raise, and inputs that it takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from time import thread_time

from gateway.errors import GatewayError
from tests.fuzz.changes import CANARY, Change, octets_changed

SLOW = 5.0
"""Seconds of processor time: an input that takes longer is a finding."""

Raised = tuple[type[GatewayError], tuple[str, ...]]
"""A class, and how its codes begin: what the docstring of the parser promises."""


class Broken(Exception):
    """Something was taken in, or made, that must not be."""


class Unmade(Exception):
    """The sender's side could not make what the choices ask for: nothing was judged."""


class Outcome(Enum):
    TAKEN = "taken"
    REFUSED = "refused"
    UNMADE = "unmade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`run` gets the input; it returns when the parser took it in, and raises otherwise."""

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    """Inputs that are taken in, the first of them at least."""
    raises: tuple[Raised, ...] = ()
    change: Change = octets_changed
    """By which its inputs change beside what the fuzzer does of itself."""
    share: int = 1
    """Of the time, beside other targets."""

    def may_raise(self, error: GatewayError) -> bool:
        return any(
            isinstance(error, kind) and error.code.startswith(codes) for kind, codes in self.raises
        )


def judge(target: Target, octets: bytes) -> Outcome:
    """Return what became of an input; raise what should never come out of the gateway."""
    begin = thread_time()
    outcome = _outcome(target, octets)
    if thread_time() - begin > SLOW:
        raise Broken(f"took more than {SLOW} s")
    return outcome


def _outcome(target: Target, octets: bytes) -> Outcome:
    try:
        target.run(octets)
    except Unmade:
        return Outcome.UNMADE
    except GatewayError as error:
        if not target.may_raise(error):
            raise Broken(f"{type(error).__name__} {error.code} is not promised") from error
        if CANARY in str(error):
            raise Broken(f"{error.code} holds a value of the message") from error
        return Outcome.REFUSED
    return Outcome.TAKEN
