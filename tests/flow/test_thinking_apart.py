"""What costs time with the size of a message is handed to `think`, with that size."""

from collections.abc import Callable
from dataclasses import replace

from gateway.pipeline import Gateway, deliver, judge, receive
from gateway.security import seal
from gateway.wire.schema import SchemaSet
from tests.flow import town as towns
from tests.flow.bad_input import Recipe, make
from tests.flow.town import HUB

COSTLY = (
    (receive.wire, "read"),
    (receive, "open_message"),
    (judge.stuf, "read_document"),
    (SchemaSet, "validate"),
    (deliver.seal, "sign_message"),
    (seal, "encrypt_message"),
)


class Thinking:
    """Runs the work at once, and knows whether somebody is in it."""

    def __init__(self):
        self.size = None

    async def __call__(self, size: int, work: Callable):
        self.size = size
        try:
            return work()
        finally:
            self.size = None


async def test_parsing_cryptography_and_judging_are_thought_apart(tmp_path, monkeypatch):
    town = await towns.build(tmp_path, parties=(HUB,))
    thinking, seen = Thinking(), {}

    def watched(name, real):
        def call(*given, **named):
            seen.setdefault(name, thinking.size)
            return real(*given, **named)

        return call

    for owner, name in COSTLY:
        monkeypatch.setattr(owner, name, watched(name, getattr(owner, name)))
    hub, inbound = town[HUB], make(Recipe())
    hub.worker._gateway = gateway = Gateway(replace(hub.gateway._house, think=thinking))

    answer = await gateway.receive(inbound)
    await hub.worker.step()  # nobody is there: it is sealed before that is found
    await town.close()

    assert answer.status == 204
    assert set(seen) == {name for _, name in COSTLY}
    assert seen["read"] == seen["open_message"] == len(inbound.body)
    assert all(size is not None and size > 1_000 for size in seen.values()), seen
