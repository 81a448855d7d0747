"""Handing messages in, and following them."""

from aiohttp import web

from gateway.directory import Backend
from gateway.errors import Malformed, NoRoute
from gateway.lifecycle import State
from gateway.message import Aanlevering
from gateway.ports import DeliveryChannel, MessageView
from gateway.web.api import query, shapes
from gateway.web.api.office import BACKEND, OFFICE

ARTIKELEN = frozenset({"8", "9", "10", "13"})
"""Articles of the Wet politiegegevens under which data are processed."""
_UTF8 = frozenset({"utf-8", "us-ascii"})


async def hand_in(request: web.Request) -> web.Response:
    """Take in a document: 202, or 200 for one that was taken in before."""
    office = request.app[OFFICE]
    query.only(request, "acuut", "onderzoek", "wpgArtikel")
    aanlevering = Aanlevering(
        acuut=query.boolean(request, "acuut"),
        onderzoek=query.boolean(request, "onderzoek"),
        wpg_artikel=query.choice(request, "wpgArtikel", ARTIKELEN),
    )
    _must_be(request, "application/xml")
    most = office.gateway.snapshots.current().limits.payload_bytes
    async with office.intake.body(request, most=most, code="size.payload") as octets:
        receipt = await office.gateway.hand_in(octets, aanlevering, request[BACKEND])
    return shapes.answer(
        shapes.receipt(receipt),
        status=202 if receipt.fresh else 200,
        location=f"{shapes.ROOT}/berichten/{receipt.id}",
    )


async def show(request: web.Request) -> web.Response:
    """Return a message of this party with every step."""
    query.only(request)
    reader = request.app[OFFICE].gateway.reader
    view = await reader.message(request.match_info["id"])
    if view is None or not _visible(view, request[BACKEND]):
        raise NoRoute("bericht.onvindbaar", "Dit bericht is er niet.")
    return shapes.answer(shapes.message(view))


async def overview(request: web.Request) -> web.Response:
    """Return the messages of this party, newest first, a page at a time."""
    query.only(request, "voor", "limiet")
    limit = query.whole(request, "limiet", default=50, least=1, most=200)
    reader = request.app[OFFICE].gateway.reader
    found = await reader.summaries(
        party=request[BACKEND].party, before=request.query.get("voor"), limit=limit
    )
    last = found[-1].message.id if found else ""
    following = f"{shapes.ROOT}/berichten?voor={last}&limiet={limit}"
    return shapes.answer(
        {
            "berichten": [shapes.summary(one) for one in found],
            "volgende": following if len(found) == limit else None,
        }
    )


def _visible(view: MessageView, backend: Backend) -> bool:
    """One party only: what it handed in or made, and what lies in its postvak."""
    return view.message.party == backend.party or any(
        d.channel is DeliveryChannel.POSTVAK
        and d.recipient == backend.party
        and d.state is not State.HELD
        for d in view.deliveries
    )


def _must_be(request: web.Request, content_type: str) -> None:
    charset = (request.charset or "utf-8").lower()
    if request.content_type != content_type or charset not in _UTF8:
        raise Malformed("request.content_type", f"Stuur {content_type} in UTF-8.")


def must_be_json(request: web.Request) -> None:
    """Raise Malformed `request.content_type`."""
    _must_be(request, "application/json")
