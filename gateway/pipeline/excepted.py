"""Each use of an exception of a partner is written down and counted, whichever way it goes."""

from datetime import datetime

from gateway.directory import Encryption
from gateway.pipeline.attempted import attempted
from gateway.pipeline.house import House
from gateway.ports import AuditEvent, Claim
from gateway.security.algorithms import AlgorithmPolicy
from gateway.security.open import Opened
from gateway.security.weak import weaknesses
from gateway.security.xenc import made_transport


async def received(house: House, opened: Opened, at: datetime) -> None:
    """Commit the row of what came in by an exception, before anything comes of it."""
    if not opened.weaknesses:
        return
    header = opened.header
    row = AuditEvent(
        event="message.excepted",
        at=at,
        party=header.sender.id,
        data={
            "what": ",".join(sorted(opened.weaknesses)),
            "cpa_id": header.cpa_id,
            "message_id": header.message_id,
        },
    )
    await house.inbox.note(row)
    for what in opened.weaknesses:
        house.count.excepted(header.sender.id, what)


def sent(
    house: House,
    claim: Claim,
    encryption: Encryption,
    policy: AlgorithmPolicy,
    events: list[AuditEvent],
) -> None:
    """Add the row of what leaves by an exception of its receiver."""
    used = weaknesses({encryption.algorithm, made_transport(encryption, policy)})
    if not used:
        return
    what = ",".join(sorted(used))
    events.append(attempted(house, claim, "delivery.excepted", what=what))
    for one in used:
        house.count.excepted(claim.recipient, one)
