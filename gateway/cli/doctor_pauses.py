"""What `gateway doctor` says of partners to whom a person holds what is sent."""

from collections.abc import Iterator

from gateway.cli.doctor_findings import Area, Finding
from gateway.cli.look import look
from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.ports import Pause
from gateway.store.view import View
from gateway.web.api.models import rfc3339

_PARTNERS = Area("Partners")


def pauses(installation: Installation) -> Iterator[Finding]:
    """Yield who is held: since when, by whom and why. No database yet is no finding."""
    try:
        held = look(installation.folder, View.pauses)
    except GatewayError:
        return  # said with the database
    names = {party.oin: party.naam for party in installation.settings.partijen}
    for pause in held:
        yield _held(pause, names.get(pause.recipient, "onbekende partij"))
    if not held:
        yield _PARTNERS.good("de verzending gaat naar elke partij")


def _held(pause: Pause, name: str) -> Finding:
    return _PARTNERS.warn(
        "partner.paused",
        f"de verzending naar {name} ({pause.recipient}) staat stil sinds {rfc3339(pause.at)}, "
        f"door {pause.who}: {pause.why}",
        "Wat voor deze partij klaarstaat wacht, en de termijnen lopen door.",
        f"Gaat het weer: gateway partners verder {pause.recipient} --reden …",
    )
