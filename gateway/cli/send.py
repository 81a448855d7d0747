"""`gateway send`: hand a document in over REST, as a back-end system does."""

import asyncio
import json
import os
import ssl
import sys
from pathlib import Path
from typing import Annotated

import aiohttp
import typer

from gateway.outbound.outcome import Progress, failure, tracing


def send(
    file: Annotated[Path, typer.Argument(help="Document, XML.", exists=True, dir_okay=False)],
    *,
    url: Annotated[
        str, typer.Option(help="Address of the access point.")
    ] = "https://localhost:8444",
    trust: Annotated[
        Path | None,
        typer.Option(
            help="CA certificates, PEM; left out = those of the system.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    acuut: Annotated[bool | None, typer.Option(help="Acute: an answer within 24 hours.")] = None,
    onderzoek: Annotated[
        bool | None, typer.Option(help="A criminal investigation is running.")
    ] = None,
    wpg_artikel: Annotated[str | None, typer.Option(help="Wpg article: 8, 9, 10 or 13.")] = None,
    deel_van: Annotated[
        str | None, typer.Option(help="Referentienummer that this is the other part of.")
    ] = None,
    vervangt: Annotated[
        str | None, typer.Option(help="Referentienummer in whose place this comes.")
    ] = None,
) -> None:
    """Hand a document in and print the answer; exit status 1 when it is refused.

    The token of the back-end system comes from the environment: GATEWAY_TOKEN.
    """
    token = os.environ.get("GATEWAY_TOKEN", "")
    if not token:
        raise typer.BadParameter("set GATEWAY_TOKEN to the token of the back-end system")
    query = {
        "acuut": acuut,
        "onderzoek": onderzoek,
        "wpgArtikel": wpg_artikel,
        "deelVan": deel_van,
        "vervangt": vervangt,
    }
    status, body = asyncio.run(_post(url, trust, token, file.read_bytes(), query))
    print(json.dumps(body, indent=2, ensure_ascii=False))
    if status >= 300:  # noqa: PLR2004 - the HTTP class of success ends here
        sys.exit(1)


async def _post(
    url: str, trust: Path | None, token: str, octets: bytes, query: dict[str, bool | str | None]
) -> tuple[int, object]:
    """Return status and answer; raise PeerUnreachable or OutcomeUnknown. A repeat is safe."""
    context = ssl.create_default_context(cafile=trust)
    given = {k: str(v).lower() if isinstance(v, bool) else v for k, v in query.items()}
    progress = Progress()
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context), trace_configs=[tracing()]
            ) as session,
            session.post(
                f"{url.rstrip('/')}/api/v1/berichten",
                data=octets,
                params={k: v for k, v in given.items() if v is not None},
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/xml"},
                trace_request_ctx=progress,
            ) as answer,
        ):
            return answer.status, await _body(answer)
    except aiohttp.InvalidURL as error:
        raise typer.BadParameter("the address is not a URL") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise failure(error, progress) from error


async def _body(answer: aiohttp.ClientResponse) -> object:
    """Return the JSON of the answer, or its beginning when something else answered."""
    text = await answer.text(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text[:500]
