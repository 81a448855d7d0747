"""What officers go by is what came, and what was proposed: whoever changes a row changes nothing.

A row can be changed by whoever administers the database. What is read and decided on is the request
as the holder sent it; what a second officer confirms is what the first proposed. A row that says
something else is refused, with an alarm.
"""

from gateway.directory import Directory
from gateway.errors import Malformed, PolicyViolation
from gateway.message import Oin
from gateway.pipeline.asking import asked_by
from gateway.pipeline.house import House
from gateway.ports import Alarm, Request, Verdict
from gateway.wire import stuf, toets_read

_SAME = (
    "id",
    "holder",
    "soort",
    "version",
    "referentienummer",
    "recipient",
    "payload_sha256",
    "size",
    "table_version",
    "reasons",
    "asker",
    "acuut",
    "part_of",
    "replaces",
)
"""What a row has from the request; its parket and its term are of this installation."""


async def content(house: House, directory: Directory, request: Request) -> bytes:
    """Return the octets on which is decided: those that are held.

    Raises PolicyViolation `toets.verzoek.veranderd`, GatewayError `payload.destroyed`.
    """
    octets = await house.payloads.get(request.message.payload_id or "")
    found = await house.think(len(octets), lambda: _content(octets, directory, request))
    if found is None:
        raise await _told(
            house,
            request,
            PolicyViolation(
                "toets.verzoek.veranderd", "Dit verzoek staat hier niet meer zoals het is gesteld."
            ),
        )
    return found


def _content(octets: bytes, directory: Directory, request: Request) -> bytes | None:
    try:
        document = stuf.read_stored(octets)
        verzoek = toets_read.read_verzoek(document)
    except Malformed:  # another message stands in its place
        return None
    zender = document.stuurgegevens.zender
    holder = Oin(zender.organisatie) if zender else directory.me
    came = asked_by(holder, verzoek, directory, request.at)
    same = all(getattr(came, one) == getattr(request, one) for one in _SAME)
    return verzoek.inhoud if same else None


async def check_proposal(house: House, request: Request, verdict: Verdict) -> None:
    """Raise PolicyViolation `toets.besluit.veranderd` for what no officer proposed so."""
    if not house.desk.is_proposed(verdict):
        raise await _told(
            house,
            request,
            PolicyViolation(
                "toets.besluit.veranderd",
                "Dit besluit staat hier niet meer zoals het is voorgesteld.",
            ),
        )


async def _told(house: House, request: Request, error: PolicyViolation) -> PolicyViolation:
    """Raise the alarm of it, and return it."""
    alarm = Alarm(
        code=error.code, subject=request.id, message=request.message.id, party=request.holder
    )
    await house.alarms.change(raised=(alarm,))
    return error
