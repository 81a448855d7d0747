"""`gateway serve`."""

import asyncio
from pathlib import Path

from gateway.cli import Config


def serve(config: Config = Path()) -> None:
    """Serve an installation until SIGTERM. SIGHUP reads agreements, parties and trust again.

    Logs go to standard error, one JSON object per line (setting `log`).
    """
    from gateway import log, service
    from gateway.installation import load_installation

    installation = load_installation(config)
    settings = installation.settings.log
    log.setup(style=log.Style(settings.vorm), level=settings.niveau)
    asyncio.run(service.serve(installation))
