import pytest

from gateway.directory import SyncReply
from gateway.lifecycle import State
from tests.flow.lying_town import live, open_town

SEED = 20261125


@pytest.mark.parametrize(
    ("profile", "hub", "sync", "count"),
    [
        ("osb-rm", False, SyncReply.NONE, 160),
        ("osb-rm-e", False, SyncReply.NONE, 80),
        ("osb-rm-e", True, SyncReply.NONE, 40),
        ("osb-rm-s", False, SyncReply.SIGNALS, 40),
    ],
)
async def test_lying_partner_loses_nothing_doubles_nothing_and_makes_nobody_believe(
    tmp_path, profile, hub, sync, count
):
    lying = await open_town(tmp_path, profile=profile, seed=SEED, hub=hub, sync_reply=sync)

    await live(lying, count)

    ends = await lying.check()
    print(f"seed {SEED}, {profile}: {dict(lying.liar.told)} → {dict(ends)}")
    assert len(lying.handed_in) == count
    assert ends["delivered delivery.acknowledged"] > count / 2
    await lying.town.close()


async def test_without_duplicate_elimination_nothing_that_may_have_arrived_goes_again(tmp_path):
    lying = await open_town(tmp_path, profile="osb-be", seed=SEED)

    await live(lying, 60)

    ends = await lying.check()
    print(f"seed {SEED}, osb-be: {dict(lying.liar.told)} → {dict(ends)}")
    assert set(lying.liar.posts.values()) == {1}
    assert {e.partition(" ")[0] for e in ends} == {State.DELIVERED, State.DEAD, State.UNKNOWN}
    await lying.town.close()
