"""`make bench`: what the gateway costs, in units of what can not be left out.

Each ratio is taken within one run, turn by turn, so that it says something on any machine.
docs/performance.md says how to read it.
"""

from itertools import chain

from rich.console import Console
from rich.table import Table

from bench import hop, schemas, sealing
from bench.measure import Ratio, machine

WIDTH = 100


def main() -> None:
    console = Console(highlight=False, width=WIDTH)
    console.print(f"machine: {machine()}", soft_wrap=True)
    table = Table("what", "costs", "times", "middle half of the rounds")
    table.columns[1].justify = "right"
    for ratio in chain(sealing.ratios(), hop.ratios(), schemas.ratios()):
        table.add_row(*_row(ratio))
    console.print(table)


def _row(ratio: Ratio) -> tuple[str, str, str, str]:
    spread = f"{ratio.low:.2f} to {ratio.high:.2f}"
    return ratio.what, f"{ratio.middle:.2f} ×", ratio.against, spread


if __name__ == "__main__":
    main()
