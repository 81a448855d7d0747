"""What goes wrong in one errand is told, without values, and stops nothing else."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.cli.simulator.errands import Errands
from gateway.cli.simulator.journal import Journal
from gateway.errors import NoRoute

SECRET = "999990019"


async def fails(error):
    raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoRoute("route.agreement", SECRET, where="/x"), "mislukt"),
        (TimeoutError(SECRET), "mislukt"),
        (KeyError(SECRET), "FOUT IN DE SIMULATOR"),
    ],
)
async def test_errand_that_fails_is_told_without_values(capsys, error, told):
    errands, done = Errands(Journal(lambda: datetime.now(UTC))), asyncio.Event()

    async def goes_on():
        await asyncio.sleep(0.01)
        done.set()

    errands.begin(fails(error))
    errands.begin(goes_on())
    await asyncio.wait_for(done.wait(), 5)
    await errands.close()

    said = capsys.readouterr().out
    assert told in said
    assert SECRET not in said
