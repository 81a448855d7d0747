"""What one attempt writes in the audit log, over whatever channel it goes."""

from gateway.pipeline.house import House
from gateway.ports import AuditEvent, Claim


def attempted(
    house: House, claim: Claim, event: str, *, code: str = "", **data: str | int | bool
) -> AuditEvent:
    """Return the row: of which message, delivery and attempt, to whom, by which process."""
    return AuditEvent(
        event=event,
        at=house.clock.now(),
        message=claim.message.id,
        delivery=claim.delivery,
        code=code,
        party=claim.recipient,
        actor=house.worker,
        data={"attempt": claim.attempt, **data},
    )
