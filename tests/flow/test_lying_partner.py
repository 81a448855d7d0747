import pytest

from tests.flow.lying_town import live


@pytest.mark.parametrize(("profile", "count"), [("osb-rm", 300), ("osb-rm-e", 150)])
async def test_lying_partner_loses_nothing_doubles_nothing_and_makes_nobody_believe(
    tmp_path, profile, count
):
    seed = 20261125
    lying = await live(tmp_path, profile=profile, seed=seed, count=count)

    ends = await lying.check()
    print(f"seed {seed}, {profile}: {dict(lying.liar.told)} → {dict(ends)}")
    assert len(lying.handed_in) == count
    assert ends["delivered delivery.acknowledged"] > count
    await lying.town.close()
