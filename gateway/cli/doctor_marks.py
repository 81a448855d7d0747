"""What `gateway doctor` says of the marks of what the OM withdrew, outside the database."""

from collections.abc import Iterator

from gateway.cli.doctor_findings import Area, Finding
from gateway.cli.look import look
from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.keys.ended import EndedMarks
from gateway.store.view import View

_GATE = Area("OM-poort")


def marks(installation: Installation) -> Iterator[Finding]:
    """Yield whether what was withdrawn by the rows is marked as well."""
    given = installation.settings.paths.epoch_keys
    ended = EndedMarks(installation.path(given))

    async def work(view: View) -> int:
        return await view.unmarked(ended)

    try:
        lost = look(installation.folder, work)
    except GatewayError as error:
        if error.code == "store.disk":
            yield _GATE.error(error, f"Geef {given} aan de gebruiker van de gateway, mode 0700")
        return  # anything else is said with the database
    if not lost:
        yield _GATE.good("wat het OM introk is gemerkt, buiten de database")
        return
    yield _GATE.warn(
        "gate.marks_lost",
        f"{lost} ingetrokken besluiten of toestemmingen zonder merk in {given}",
        "Wie de database kan wijzigen, kan ze weer laten gelden.",
        "Zoek uit wie ze weghaalde; de gateway zet ze terug, bij de start of binnen een uur",
    )
