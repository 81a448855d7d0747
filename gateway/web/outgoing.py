"""Sending a large body to a reader who may be slow, and not for ever to one who stalls."""

import asyncio
from collections.abc import Mapping

import structlog
from aiohttp import web

from gateway.web.intake import IntakeLimits
from gateway.web.middleware import PEER

log = structlog.get_logger("gateway.web")

_CHUNK = 65_536
"""Octets per write."""


async def send(
    request: web.Request, octets: bytes, *, headers: Mapping[str, str], limits: IntakeLimits
) -> web.StreamResponse:
    """Answer 200 with these octets, and return when the reader has them.

    Raises ConnectionResetError when it took nothing for `limits.silence`, or had not all of
    them after `limits.body`: the connection is broken off then.
    """
    response = web.StreamResponse(headers={**headers, "Content-Length": str(len(octets))})
    try:
        async with asyncio.timeout(limits.body.total_seconds()):
            await _send(request, response, memoryview(octets), limits.silence.total_seconds())
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        log.warning(
            "http.cut_off",
            peer=request.get(PEER, ""),
            octets=len(octets),
            hint="the reader took too little in time: it has to ask again, and to read on",
        )
        raise ConnectionResetError from None
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, octets: memoryview, silence: float
) -> None:
    await response.prepare(request)
    for start in range(0, len(octets), _CHUNK):
        async with asyncio.timeout(silence):
            await response.write(octets[start : start + _CHUNK])
    async with asyncio.timeout(silence):
        await response.write_eof()
