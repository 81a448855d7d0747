import pytest

from tests.flow import town as towns


@pytest.fixture
async def town(tmp_path):
    """Politie, knooppunt and Veilig Thuis over osb-rm-e."""
    made = await towns.build(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def place(request):
    """Where the databases of a town are: SQLite, unless `ON_BOTH` asks for PostgreSQL too."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return towns.in_a_file
    make = request.getfixturevalue("made_on_postgres")
    return lambda _oin, _folder: make()
