"""How much memory a hub takes for large messages, end to end: the peak of its process.

Each row is of a hub of its own, warm, on SQLite. Sender and receiver are in this process.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from bench import memory
from bench.database import refused
from bench.grown import grown
from bench.letters import melding, request
from bench.measure import Figure, figure_of
from bench.neighbours import Manner, Neighbours, Party
from bench.place import ACTION, POLITIE, REQUEST, RVDK, VT, Place, make_place
from bench.processes import BenchFailed, Process, hub
from bench.town import DISK, until_delivered
from gateway.directory import Limits
from gateway.installation_new import NewParty
from gateway.message import WireMessage
from gateway.rules.koppelvlak.documenten import MOST_OCTETS

ROUNDS = 3
WARM_UP = 20
"""Small messages."""
MANY = 20
REST_SECONDS = 10.0
"""Between the last acknowledgement and a look at what the hub keeps."""
ANSWER_SECONDS = 300.0
PIECE = 65_536
MB = 1_000_000
LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What goes, from whom to whom. `large` and `small` give another document each time."""

    sender: NewParty
    receiver: NewParty
    action: str
    small: Callable[[], bytes]
    large: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round took."""

    wire: float
    """Octets, in MB, of one body."""
    peak: float
    kept: float
    seconds: float
    sent_back: int


def figures() -> Iterator[Figure]:
    one = "one vtoDi01"
    yield from _through(f"{one} with documents of 21 MB", _requests(_documents), goal=450)
    yield from _through(f"{one} of 35 MB, in lines of 4", _requests(_in_lines), goal=450)
    yield from _through("one vtMeldingDi01 of 35 MB, small elements", _meldingen(_full), goal=800)
    yield from _through(
        f"{MANY} vtoDi01 with documents of 21 MB at once",
        _requests(_documents),
        goal=1_000,
        count=MANY,
    )
    yield from _refused("one octet over the limit of a body", _body_over, since="last")
    yield from _refused("one octet over the limit of a payload", _payload_over, since="first")


def _requests(large: Callable[[], bytes]) -> Way:
    return Way(sender=VT, receiver=RVDK, action=REQUEST, small=_little, large=large)


def _meldingen(large: Callable[[], bytes]) -> Way:
    return Way(sender=POLITIE, receiver=VT, action=ACTION, small=_melding, large=large)


# --- documents ------------------------------------------------------------------------


def _melding() -> bytes:
    return melding(str(uuid4()))


def _little() -> bytes:
    return request(str(uuid4()), b64encode(_pdf(1_000)))


def _documents() -> bytes:
    """As much as the koppelvlak allows."""
    return request(str(uuid4()), b64encode(_pdf(MOST_OCTETS)))


def _in_lines() -> bytes:
    """The same with the most white space that base64 has between its characters."""
    room = LIMITS.payload_bytes - len(_little())
    text = b64encode(_pdf(min(MOST_OCTETS, room * 3 // 5)))
    lines = (text[at : at + 4] for at in range(0, len(text), 4))
    return request(str(uuid4()), b"\n".join(lines))


def _full() -> bytes:
    return grown(_melding(), LIMITS.payload_bytes)


def _pdf(octets: int) -> bytes:
    begin = b"%PDF-1.7\n"
    return begin + b"x" * (octets - len(begin))


# --- through the hub ------------------------------------------------------------------


def _through(what: str, way: Way, *, goal: float, count: int = 1) -> Iterator[Figure]:
    with TemporaryDirectory(dir=DISK) as folder:
        place = make_place(Path(folder))
        with hub(place) as process:
            rounds = asyncio.run(_rounds(place, process, way, count))
    yield figure_of(what, [one.peak for one in rounds], unit="MB", goal=goal)
    yield figure_of("- a body of it", [one.wire for one in rounds], unit="MB")
    yield figure_of(
        f"- kept {REST_SECONDS:.0f} s afterwards", [one.kept for one in rounds], unit="MB"
    )
    yield figure_of("- until all came through", [one.seconds for one in rounds], unit="s")
    if count > 1:
        yield figure_of("- told to come back", [one.sent_back for one in rounds], unit="times")


async def _rounds(place: Place, process: Process, way: Way, count: int) -> list[Round]:
    manner = Manner(connections=count, seconds=ANSWER_SECONDS, comes_back=count > 1)
    neighbours = Neighbours.open(place, sender=way.sender, receiver=way.receiver, manner=manner)
    async with neighbours as both:
        found, sent = [], WARM_UP
        await both.send([_sealed(both, way, way.small) for _ in range(WARM_UP)])
        for _ in range(ROUNDS):
            await asyncio.to_thread(until_delivered, place, sent, process.check)
            sent += count
            found.append(await _round(both, process, way, count))
        await asyncio.to_thread(until_delivered, place, sent, process.check)
    return found


async def _round(both: Neighbours, process: Process, way: Way, count: int) -> Round:
    messages = [_sealed(both, way, way.large) for _ in range(count)]
    before = both.sender.sent_back
    memory.forget_peak(process.pid)
    start = perf_counter()
    await both.send(messages)
    took = perf_counter() - start
    await asyncio.sleep(REST_SECONDS)
    return Round(
        wire=len(messages[0].body) / MB,
        peak=memory.peak(process.pid),
        kept=memory.resident(process.pid),
        seconds=took,
        sent_back=both.sender.sent_back - before,
    )


def _sealed(both: Neighbours, way: Way, document: Callable[[], bytes]) -> WireMessage:
    return both.sender.letters.sealed(document(), way.action)


# --- one octet over -------------------------------------------------------------------


def _refused(what: str, refuse: "Refuse", *, since: str) -> Iterator[Figure]:
    with TemporaryDirectory(dir=DISK) as folder:
        place = make_place(Path(folder))
        with hub(place) as process:
            rounds = asyncio.run(_refusals(place, process, refuse))
    yield figure_of(what, [peak for peak, _ in rounds], unit="MB", goal=450)
    yield figure_of(f"- answered after its {since} octet", [s for _, s in rounds], unit="s")


async def _refusals(place: Place, process: Process, refuse: "Refuse") -> list[tuple[float, float]]:
    found = []
    async with Neighbours.open(place, manner=Manner(seconds=ANSWER_SECONDS)) as both:
        await both.send([_sealed(both, _meldingen(_full), _melding) for _ in range(WARM_UP)])
        for _ in range(ROUNDS):
            memory.forget_peak(process.pid)
            seconds = await refuse(both.sender, place)
            found.append((memory.peak(process.pid), seconds))
    return found


Refuse = Callable[[Party, Place], Awaitable[float]]
"""Sends, and returns the seconds until the refusal."""


async def _body_over(sender: Party, _: Place) -> float:
    """Send one octet more than may come, and no end: the refusal does not wait for it."""
    message = sender.letters.sealed(_melding())
    body = _Endless(LIMITS.wire_bytes + 1)
    status, _octets = await sender.answer(body.octets(), message)
    if status != 413:
        raise BenchFailed(f"a body that is too large was answered {status}")
    return perf_counter() - body.sent


@dataclass(slots=True)
class _Endless:
    size: int
    sent: float = 0.0
    """When the last octet was given."""

    async def octets(self) -> AsyncIterator[bytes]:
        left = self.size
        while left:
            piece = min(left, PIECE)
            yield b"x" * piece
            left -= piece
        self.sent = perf_counter()
        await asyncio.Event().wait()


async def _payload_over(sender: Party, place: Place) -> float:
    octets = _full()
    message = sender.letters.sealed(octets + b"\n" * (LIMITS.payload_bytes + 1 - len(octets)))
    start = perf_counter()
    status, answer = await sender.answer(message.body, message)
    took = perf_counter() - start
    if status != 200 or b"ErrorList" not in answer or not refused(place, "payload.too_large"):
        raise BenchFailed(f"a payload that is too large was answered {status}")
    return took
