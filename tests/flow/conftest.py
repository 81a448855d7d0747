import pytest

from tests.flow import town as towns


@pytest.fixture
async def town(tmp_path):
    """Politie, knooppunt and Veilig Thuis over osb-rm-e."""
    made = await towns.build(tmp_path)
    yield made
    await made.close()
