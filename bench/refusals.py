"""How long a back-end waits for the reasons why a document of 35 MB is refused.

By the clock, from the first octet of the request to the last of the answer, against a
`gateway serve` of its own, over TLS on loopback.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench import grown
from bench.measure import Figure, figure_of
from bench.town import DISK
from bench.validation import EXAMPLES
from gateway.cli.demo.rest import BackEnd
from gateway.cli.demo.sites import make_sites

OCTETS = 34_900_000
ROUNDS = 5
WANTED = 2.0
"""Seconds."""

KINDS: dict[str, Callable[[bytes, int], bytes]] = {
    "its last value is wrong": grown.spoiled_last,
    "everything is wrong": grown.spoiled_all,
    "its last BSN is none": grown.rule_broken_last,
    "one text is too long": grown.one_long_text,
    "it ends in the middle": grown.cut_off,
}


def figures() -> Iterator[Figure]:
    example = (EXAMPLES / "1.0.9" / "examples" / "vtMeldingDi01.xml").read_bytes()
    with TemporaryDirectory(dir=DISK) as folder:
        documents = {name: make(example, OCTETS) for name, make in KINDS.items()}
        for name, seconds in asyncio.run(_measure(Path(folder), documents)).items():
            yield figure_of(f"35 MB refused: {name}", seconds, unit="s", goal=WANTED)


async def _measure(root: Path, documents: dict[str, bytes]) -> dict[str, list[float]]:
    sites = make_sites(root)
    site = sites.by_place["politie"]
    served = site.served()
    await served.start()
    try:
        await served.ready()
        async with site.back_end(sites.anchors) as back_end:
            return {
                name: [await _seconds(back_end, octets) for _ in range(ROUNDS)]
                for name, octets in documents.items()
            }
    finally:
        await served.stop()


async def _seconds(back_end: BackEnd, octets: bytes) -> float:
    start = perf_counter()
    status, problem = await back_end.hand_in(octets)
    took = perf_counter() - start
    assert status == 422, problem["code"]
    assert problem["bevindingen"]
    return took
