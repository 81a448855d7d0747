"""The plain header that the tests of the envelope start from."""

from datetime import UTC, datetime

from gateway.message import Header, PartyRef

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

PLAIN = Header(
    sender=PartyRef("00000001000000000001"),
    sender_role="Melder",
    receiver=PartyRef("00000001000000000002"),
    receiver_role="Knooppunt",
    cpa_id="cpa_a_b_1",
    conversation_id="conversation-1",
    service="jz",
    service_type="urn:osb:services",
    action="vtMeldingDi01",
    message_id="m1@a",
    timestamp=AT,
)
