"""Ten thousand messages over a lying wire: `make lying`, or `python -m tests.flow.lying`."""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from gateway.cli.demo.postgres import Postgres
from gateway.message import Oin
from tests.flow.lying_town import live, open_town
from tests.flow.town import Place, in_a_file

PARTS = (("osb-rm", False, 0.65), ("osb-rm-e", False, 0.3), ("osb-rm-e", True, 0.05))
"""Profile, whether a hub is between, and its part of the messages."""


@dataclass(frozen=True)
class Asked:
    messages: int
    seed: int
    postgresql: bool


def asked() -> Asked:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--postgresql", action="store_true", help="not SQLite")
    given = parser.parse_args()
    return Asked(messages=given.messages, seed=given.seed, postgresql=given.postgresql)


@contextmanager
def databases(name: str, *, postgresql: bool):
    """Say where the databases of one town are, as long as it lives."""
    if not postgresql:
        yield in_a_file
        return
    server = Postgres.make(settings=("fsync = off",))

    def place(oin: Oin, folder: Path) -> str:
        return server.create(f"{name}_{oin}")

    try:
        yield place
    finally:
        server.remove()


async def part(folder: Path, place: Place, *, profile: str, hub: bool, seed: int, least: int):
    """Let at least so many messages cross, the answers of back-ends among them."""
    lying = await open_town(folder, profile=profile, seed=seed, hub=hub, place=place)
    crossing = 3.5 if hub else 1.95  # each is answered, a hub passes both on, some are lost
    await live(lying, ceil(least / crossing))
    ends = await lying.check()
    print(f"  {len(lying.handed_in)} handed in, {sum(ends.values())} messages on the wire")
    print(f"  lies: {_told(lying.liar.told)}")
    print(f"  ends: {_told(ends)}")
    await lying.town.close()
    return sum(ends.values())


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counted.most_common())


def main() -> None:
    given = asked()
    started, crossed = time.process_time(), 0
    for number, (profile, hub, share) in enumerate(PARTS):
        seed = given.seed + number
        print(f"{profile}{', with a hub' if hub else ''}, seed {seed}", flush=True)
        with (
            tempfile.TemporaryDirectory() as folder,
            databases(f"lying_{number}", postgresql=given.postgresql) as place,
        ):
            crossed += asyncio.run(
                part(
                    Path(folder),
                    place,
                    profile=profile,
                    hub=hub,
                    seed=seed,
                    least=round(given.messages * share),
                )
            )
    seconds = time.process_time() - started
    print(f"{crossed} messages, {seconds:.0f} s of CPU: 0 lost, 0 twice, 0 acknowledged unstored")


if __name__ == "__main__":
    main()
