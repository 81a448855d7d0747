"""The other end of a TLS connection."""

import ssl

from aiohttp import web


def certificate_of(request: web.Request) -> bytes | None:
    """Return the client's certificate (DER), None when it showed none."""
    connection = request.transport.get_extra_info("ssl_object") if request.transport else None
    if not isinstance(connection, ssl.SSLObject):
        return None
    return connection.getpeercert(binary_form=True)
