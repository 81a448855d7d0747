import pytest

from gateway.errors import Misconfigured
from gateway.store.view import View
from tests.store.stage import Clock, Stage


@pytest.fixture(params=["sqlite", "postgresql"])
def nothing_yet(request, tmp_path, postgres):
    """Where `gateway serve` was never started."""
    if request.param == "sqlite":
        yield tmp_path / "gateway.db"
        return
    yield postgres.create("nothing_yet")
    postgres.drop("nothing_yet")


def test_a_database_without_tables_is_no_database_yet(nothing_yet):
    """`gateway doctor` comes before the first `gateway serve`."""
    with pytest.raises(Misconfigured) as caught:
        View(nothing_yet, Clock())

    assert caught.value.code == "store.path"


async def test_whoever_looks_sees_what_was_stored(address, tmp_path):
    stage = await Stage(tmp_path, database=address, inline=False).open()
    await stage.admit(1)
    await stage.store.close()

    with View(address, stage.clock) as view:
        assert [m.id for m in await view.reader.messages(party=None, before=None, limit=9)] == [
            "m-1"
        ]
