"""Who asks: a token of one back-end system of one party (RFC 6750)."""

import hmac
from hashlib import sha256

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.directory import Backend, Directory
from gateway.errors import PolicyViolation, Untrusted
from gateway.web.api.office import BACKEND, OFFICE
from gateway.web.api.operation import operation_of
from gateway.web.middleware import PEER

LONGEST_TOKEN = 512


@web.middleware
async def signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only known back-ends through, also to paths that do not exist."""
    operation = operation_of(request)
    if operation is not None and operation.scope is None:
        return await handler(request)
    directory = request.app[OFFICE].gateway.snapshots.current()
    backend = _backend(request.headers.getall("Authorization", []), directory)
    if backend.party in directory.suspended:
        raise PolicyViolation("party.suspended", "Deze partij is hier geblokkeerd.")
    request[BACKEND] = backend
    request[PEER] = backend.name
    return await handler(request)


def _backend(headers: list[str], directory: Directory) -> Backend:
    scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
        raise Untrusted("token.missing", "Geef het token van dit systeem als Bearer-token.")
    digest = sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    # Every token is compared, in constant time, whichever fits.
    found = [b for b in directory.backends if hmac.compare_digest(b.token_sha256.lower(), digest)]
    if len(found) != 1:
        raise Untrusted("token.unknown", "Dit token is hier niet bekend.")
    party = directory.party(found[0].party)
    if party is None or not party.local:
        raise Untrusted("token.party", "De partij van dit token heeft hier geen systemen.")
    return found[0]
