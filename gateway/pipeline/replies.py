"""What a partner says in the HTTP answer is opened as strictly as what comes by itself."""

from datetime import datetime

from gateway.directory import Agreement, Directory
from gateway.message import WireMessage
from gateway.pipeline.house import House
from gateway.security.open import Opened, open_message
from gateway.security.weak import policy_for
from gateway.wire.ebms2 import header as wire


def open_reply(
    house: House, directory: Directory, agreement: Agreement, reply: WireMessage, at: datetime
) -> Opened:
    """Prove it, or raise as `wire.read` and `open_message` do."""
    limits = directory.limits
    claimed = wire.read(reply.body, reply.content_type, limits=limits)
    return open_message(
        claimed,
        agreement,
        trust=house.snapshots.trust(directory),
        keyring=house.keyring,
        limits=limits,
        at=at,
        policy=policy_for(directory.party(agreement.other(directory.me).id), at),
    )
