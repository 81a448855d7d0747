"""What `gateway doctor` says of the Unix socket on which mail comes in."""

import grp
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.cli.doctor_findings import Area, Finding
from gateway.installation import Installation
from gateway.web import unix_socket

_LMTP = Area("E-mail")
_WHY = "De mailserver kan niets bezorgen; wat binnenkomt blijft bij hem wachten."
_DOCS = "docs/e-mail.md"


def lmtp(installation: Installation, *, running: bool) -> Iterator[Finding]:
    """Yield how the socket stands; nothing where no mail comes in, or over TCP."""
    settings = installation.settings.email.lmtp if installation.settings.email else None
    if settings is None or settings.socket is None:
        return
    path = installation.path(settings.socket)
    yield socket_at(path, settings.groep, running=running)


def socket_at(path: Path, group: str, *, running: bool) -> Finding:
    """Return how the socket stands, or could; `group` as in `LmtpSettings.groep`."""
    text = f"LMTP {path}"
    if group and not _is_ours(group):
        return _LMTP.bad(
            "lmtp.group",
            f"{text}: groep {group} bestaat niet, of wij zitten er niet in",
            _WHY,
            f"Maak haar, en de gebruiker van de gateway er lid van; {_DOCS}",
        )
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        return _LMTP.bad(
            "lmtp.folder",
            f"{text}: in die map kan geen socket komen",
            _WHY,
            f"Maak de map, of geef de gateway er schrijfrecht; {_DOCS}",
        )
    if unix_socket.is_served(path):
        return _LMTP.good(f"{text}: van het draaiende proces")
    if running:
        return _LMTP.warn(
            "lmtp.silent",
            f"{text}: het proces draait, maar hier luistert niemand",
            _WHY,
            "Start het opnieuw: [email] wordt bij de start gelezen",
        )
    return _LMTP.good(f"{text}: vrij")


def _is_ours(group: str) -> bool:
    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        return False
    return os.geteuid() == 0 or gid in {os.getegid(), *os.getgroups()}
