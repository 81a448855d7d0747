"""Every input that was kept, once more and without a fuzzer: to measure what they reach."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.table import TABLE
from tests.fuzz.target import Target, judge


def kept(target: Target, corpus: Path) -> Iterator[bytes]:
    yield from target.seeds()
    yield from (path.read_bytes() for path in sorted((corpus / target.name).glob("*")))


def main(corpus: Path) -> int:
    failed = 0
    for target in TABLE.values():
        for octets in kept(target, corpus):
            try:
                judge(target, octets)
            except Exception as error:  # noqa: BLE001 - told, and the rest is measured as well
                failed += 1
                print(f"{target.name}: {type(error).__name__}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
