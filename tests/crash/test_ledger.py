"""The comparison must be able to fail: each difference is made once, and found."""

from dataclasses import replace

import pytest

from gateway.ports import Direction
from gateway.store.tables import messages
from tests.crash.boundaries import Role
from tests.crash.ledger import KIND, Ledger, compare, unsettled
from tests.store.stage import Stage, event, stuurgegevens

NUMBER = "ref-1"
TO_HUB, TO_VT = "cpa-politie-knooppunt", "cpa-knooppunt-vt"


async def _stage(folder, role):
    """One message, on its way from P over K to V."""
    folder.mkdir()
    stage = await Stage(folder, inline=True).open(writer_id=str(role))
    common = {"message_id": "1@politie", "kind": KIND, "stuurgegevens": stuurgegevens(1)}
    match role:
        case Role.P:
            way = {"direction": Direction.OUTBOUND, "cpa_id": TO_HUB}
            delivery = stage.delivery(1, cpa_id=TO_HUB)
        case Role.K:
            way, delivery = {"cpa_id": TO_HUB}, stage.delivery(1, cpa_id=TO_VT)
        case Role.V:
            way, delivery = {"cpa_id": TO_VT}, stage.postvak(1)
    message = replace(await stage.message(1), **common, **way)
    await stage.admit(1, deliveries=(delivery,), **common, **way)
    await stage.store.inbox.note(event("test", stage.clock.now(), message=message.id))
    return stage


@pytest.fixture
async def town(tmp_path):
    stages = {role: await _stage(tmp_path / role, role) for role in Role}
    for stage in stages.values():
        stage.raw("UPDATE deliveries SET state = 'delivered'")
        stage.raw(
            "INSERT INTO evidence (delivery, at, message_id, sha256, octets)"
            " SELECT id, 0, 'ack', '', x'' FROM deliveries"
        )
    stages[Role.P].raw("UPDATE messages SET answer = 'Bv01Bericht'")
    yield stages
    for stage in stages.values():
        await stage.store.close()


@pytest.fixture
def ledger():
    found = Ledger()
    found.handed[NUMBER] = "0" * 64
    found.accepted[NUMBER] = "m-1"
    found.shown[NUMBER].add("d-1")
    found.confirmed[NUMBER] += 1
    found.done[NUMBER].set()
    return found


def _compare(ledger, town):
    return compare(ledger, lambda role: town[role].engine.reader())


def _unsettled(ledger, town):
    return unsettled(ledger, lambda role: town[role].engine.reader())


async def test_nothing_is_found_where_all_agree(town, ledger):
    assert _compare(ledger, town).all() == ()
    assert _unsettled(ledger, town) == ""


@pytest.mark.parametrize(
    ("role", "harm", "kind"),
    [
        (Role.P, "UPDATE messages SET id = 'other'", "not_stored"),
        (Role.K, "UPDATE messages SET message_id = 'other'", "not_stored"),
        (Role.V, "UPDATE messages SET cpa_id = 'other'", "not_stored"),
        (Role.V, "UPDATE messages SET accepted = 0", "not_stored"),
        (Role.K, "UPDATE payloads SET referenced = 0", "not_stored"),
        (Role.P, "DELETE FROM evidence", "not_stored"),
        (Role.P, "UPDATE messages SET answer = ''", "lost"),
        (Role.P, "UPDATE messages SET answer = 'Fo01Bericht'", "lost"),
        (Role.K, "UPDATE deliveries SET state = 'dead'", "lost"),
        (Role.K, "UPDATE deliveries SET state = 'unknown'", "lost"),
        (Role.V, "UPDATE audit SET code = 'x' WHERE n = 1", "broken"),
        (Role.P, "DELETE FROM audit WHERE n = 2", "broken"),
    ],
)
async def test_what_a_database_lacks_is_found(town, ledger, role, harm, kind):
    _harm(town[role], harm)

    found = _compare(ledger, town)

    assert getattr(found, kind)


def _harm(stage, statement):
    connection = stage.engine.writer()
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    for trigger in ("audit_no_update", "audit_no_delete"):
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
    connection.exec_driver_sql(statement)
    connection.close()


async def test_a_second_delivery_or_a_second_confirmation_is_twice(town, ledger):
    ledger.shown[NUMBER].add("d-2")
    ledger.confirmed[NUMBER] += 1

    assert len(_compare(ledger, town).twice) == 2


async def test_the_same_message_stored_under_two_ids_is_twice(town, ledger):
    own = {"seq", "id", "message_id", "business_key"}
    rest = [column.name for column in messages.columns if column.name not in own]
    _harm(
        town[Role.V],
        f"INSERT INTO messages (id, message_id, {', '.join(rest)})"
        f" SELECT 'm-2', '2@politie', {', '.join(rest)} FROM messages",
    )

    assert [f for f in _compare(ledger, town).twice if "stored 2 times" in f]


async def test_what_was_accepted_and_never_confirmed_is_lost(town, ledger):
    ledger.done[NUMBER].clear()

    assert "1 not yet confirmed" in _unsettled(ledger, town)
    assert _compare(ledger, town).lost == (f"accepted, never confirmed: {NUMBER}",)


async def test_what_a_back_end_was_told_wrongly_is_lost(town, ledger):
    ledger.faults.append("hand-in: HTTP 422")

    assert _compare(ledger, town).lost == ("hand-in: HTTP 422",)
