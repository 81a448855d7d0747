"""When a credential let its system in: remembered at the door, written down now and then."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from gateway.errors import StoreUnavailable
from gateway.ports.tokens import Use
from gateway.web.api.auth import DOOR
from gateway.web.api.last_uses import LastUses
from tests.web.api_client import POSTVAK, api
from tests.web.doubles import TOKENS

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Kept:
    def __init__(self):
        self.uses = []
        self.down = False

    async def used(self, uses):
        if self.down:
            raise StoreUnavailable("store.disk", "no")
        self.uses += uses


async def test_only_what_let_somebody_in_was_used():
    kept = Kept()
    async with api() as client:
        await client.get(POSTVAK)
        await client.get(POSTVAK, headers={"Authorization": "Bearer wrong"})
        await client.app[DOOR].uses.write_down(kept)

    assert [use.sha256 for use in kept.uses] == [sha256(TOKENS["bvh"].encode()).hexdigest()]


async def test_what_could_not_be_written_is_kept_for_the_next_time():
    kept, uses = Kept(), LastUses()
    uses.note(["a", "b"], AT)
    kept.down = True
    with pytest.raises(StoreUnavailable):
        await uses.write_down(kept)

    uses.note(["a"], AT + timedelta(minutes=1))
    kept.down = False
    await uses.write_down(kept)
    await uses.write_down(kept)

    assert sorted(kept.uses, key=lambda use: use.sha256) == [
        Use("a", AT + timedelta(minutes=1)),
        Use("b", AT),
    ]
