"""`gateway toetsing`: what the OM gate goes by is proposed, confirmed by an officer, and placed."""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.app import SystemClock, SystemDice
from gateway.catalogue import Role
from gateway.cli import Config
from gateway.cli.deciding import Door, check_decision, decide, has_database
from gateway.cli.look import look
from gateway.cli.screen import screen
from gateway.cli.toetsing_placing import judged, meant, place, to_propose
from gateway.directory import Confirmation, Directory
from gateway.errors import GatewayError, PolicyViolation
from gateway.installation import load_directory, load_installation
from gateway.message import Oin
from gateway.store.holdrate import Rate
from gateway.store.view import View
from gateway.toetsing.bundle import Bundle, make_bundle, read_bundle, write_bundle
from gateway.toetsing.confirming import MOST_GROUND, confirmed_by, signed_for
from gateway.toetsing.difference import differences
from gateway.toetsing.effects import effects
from gateway.toetsing.kept import confirmed_before, remember
from gateway.web.control import What
from gateway.whole_file import replace_file
from gateway.wire.confirmation import APPROVALS, TABLE

app = typer.Typer(
    help="What the OM gate goes by: proposed by the police, confirmed by the OM.",
    no_args_is_help=True,
)

REASON = "bevestiging van het OM geplaatst"

Voorstel = Annotated[
    Path, typer.Argument(help="Folder or zip of `gateway toetsing voorstel`.", show_default=False)
]


@app.command()
def voorstel(
    doel: Annotated[Path, typer.Argument(help="Folder or zip to make.", show_default=False)],
    *,
    tabel: Annotated[
        Path | None, typer.Option(help="Table to propose; left out = the one that stands here.")
    ] = None,
    toestemmingen: Annotated[
        Path | None, typer.Option(help="Approvals to propose; left out = those that stand here.")
    ] = None,
    politie: Annotated[str, typer.Option(help="OIN of the police; left out = the own party.")] = "",
    config: Config = Path(),
) -> None:
    """Put classification table and standing approvals together, for an officer to confirm.

    A change is proposed from files elsewhere: what is in force stays in place until `plaats`.
    Without a table of its own the installation proposes that of the program.
    """
    bundle = to_propose(load_installation(config), politie)
    drafts = {TABLE: tabel, APPROVALS: toestemmingen}
    changed = {name: path.read_bytes() for name, path in drafts.items() if path is not None}
    bundle = make_bundle(bundle.police, {**bundle.files, **changed}, where=str(config))
    write_bundle(doel, bundle)
    print(f"Voorstel met tabel {bundle.version} staat in {doel}.")
    print("Nu nog, bij het OM: gateway toetsing bevestig VOORSTEL --officier ID --tot DATUM")


@app.command()
def verschil(
    nieuw: Voorstel,
    oud: Annotated[
        Path | None, typer.Argument(help="The one before; left out = nothing.", show_default=False)
    ] = None,
) -> None:
    """Say in words what differs between two proposals."""
    _print_differences(None if oud is None else read_bundle(oud), read_bundle(nieuw))


@app.command()
def bevestig(  # noqa: PLR0917 - options of a command
    bundel: Voorstel,
    officier: Annotated[str, typer.Option(help="Id of the officer.", show_default=False)],
    tot: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="Last day (Dutch calendar).", show_default=False),
    ],
    grond: Annotated[
        str, typer.Option(help="On what ground; it stands in the audit log.", show_default=False)
    ],
    uit: Annotated[Path, typer.Option(help="File to write.")] = Path("bevestiging.xml"),
    vorig: Annotated[
        Path | None,
        typer.Option(help="Proposal to compare with; left out = what was confirmed last here."),
    ] = None,
    ja: Annotated[bool, typer.Option("--ja", help="Do not ask.")] = False,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Confirm a proposal as an officer of the OM, in the OM's own installation.

    The audit row comes first: what could not be written down is not signed.
    """
    check_decision(What.SIGNED, str(bundel), reden=grond, door=door)
    if len(grond) > MOST_GROUND:
        raise PolicyViolation("command.reden", f"Geef --grond met hoogstens {MOST_GROUND} tekens.")
    installation = load_installation(config)
    bundle = read_bundle(bundel)
    octets = confirmed_by(
        installation,
        bundle,
        officier=officier,
        last_day=tot.date(),
        at=SystemClock().now(),
        id_=SystemDice().uuid(),
    )
    before = confirmed_before(installation, bundle.police) if vorig is None else read_bundle(vorig)
    print(f"Toetsingskader van politie {bundle.police}, tabel {bundle.version}:")
    _print_effects(before, bundle, load_directory(installation, epoch=0))
    _print_differences(before, bundle)
    if not ja:
        typer.confirm("Bevestigen en ondertekenen?", abort=True)
    why = signed_for(bundle.police, officier, grond)
    decide(config, What.SIGNED, sha256(octets).hexdigest(), reden=why, door=door)
    remember(installation, bundle, octets)
    replace_file(uit, octets)
    print(f"Ondertekend: {uit}. Nu nog, bij de politie: gateway toetsing plaats {uit}")


@app.command()
def plaats(
    bevestiging: Annotated[
        Path, typer.Argument(help="Confirmation of the OM.", exists=True, dir_okay=False)
    ],
    *,
    voorstel: Annotated[
        Path | None,
        typer.Option(help="Proposal that it is for; left out = the files that stand here."),
    ] = None,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Check a confirmation, put it in place, and have the gate go by it.

    With --voorstel its table and approvals come in place of those here. Nothing is written
    unless all is right.
    """
    installation = load_installation(config)
    octets = bevestiging.read_bytes()
    check_decision(What.CONFIRMED, sha256(octets).hexdigest(), reden=REASON, door=door)
    bundle = meant(installation, octets) if voorstel is None else read_bundle(voorstel)
    confirmation = judged(installation, octets, bundle)
    target = place(installation, octets, bundle)
    print(f"Geplaatst: {target}. {_said(confirmation)}")
    if _write_down(config, octets, who=door):
        print("De draaiende processen lezen hun bestanden opnieuw.")


def _write_down(config: Path, octets: bytes, *, who: str) -> bool:
    """Write it in the audit log; say so and return False when that could not be."""
    if not has_database(load_installation(config)):
        print("Er is nog geen database: het telt vanaf de eerste start.")
        return False
    try:
        decide(config, What.CONFIRMED, sha256(octets).hexdigest(), reden=REASON, door=who)
    except GatewayError as error:
        print(f"! Niet in het auditlog; geef de processen SIGHUP ({error.code}).")
        return False
    return True


@app.command()
def toon(config: Config = Path()) -> None:
    """Say by what the gate goes, by whose word, and until when."""
    directory = load_directory(load_installation(config), epoch=0, lapse_closes=True)
    confirmation = directory.gate.confirmation
    if confirmation is None:
        reason = directory.gate.fault or "deze installatie heeft geen poort"
        print(f"Er geldt geen bevestigd toetsingskader ({reason}): alles wordt vastgehouden.")
        return
    print(_said(confirmation))
    for approval in directory.gate.approvals:
        covers = ", ".join(sorted(approval.categories)) or "geen categorieën"
        until = f"{approval.valid_until:%Y-%m-%d %H:%M} UTC"
        print(f"  toestemming {approval.id} ({covers}): tot {until}")
    for exception in directory.gate.exceptions:
        articles = ", ".join(sorted(exception.wpg_artikelen))
        until = f"{exception.valid_until:%Y-%m-%d %H:%M} UTC"
        print(f"  uitzondering {exception.id} (artikel {articles} Wpg): tot {until}")


@app.command()
def rapport(
    *,
    dagen: Annotated[int, typer.Option(help="Of the last so many days.", min=1, max=3_650)] = 30,
    config: Config = Path(),
) -> None:
    """Tell how much the gate holds, by message, and which lines of the table do."""
    settings = load_installation(config).settings
    police = [Oin(one.oin) for one in settings.partijen if one.rol == Role.POLITIE]
    since = SystemClock().now() - timedelta(days=dagen)

    async def work(view: View) -> tuple[Rate, ...]:
        return await view.hold_rates(police, since)

    rates = look(config, work)
    if not rates:
        print(f"In {dagen} dagen is er niets van de politie verstuurd.")
        return
    columns = ("bericht", "verstuurd", "vastgehouden", "deel", "wacht", "vrijgegeven", "geweigerd")
    table = Table(*columns, "door regel")
    for one in rates:
        counts = (one.sent, one.held, f"{one.share:.0%}", one.waiting, one.released, one.withheld)
        rules = ", ".join(f"{rule} {n}" for rule, n in one.rules) or "-"
        table.add_row(one.kind, *map(str, counts), rules)
    screen().print(table)


def _said(confirmation: Confirmation) -> str:
    return (
        f"Tabel {confirmation.table_version}, bevestigd door {confirmation.officer} op "
        f"{confirmation.taken_at:%Y-%m-%d %H:%M} UTC, geldig tot "
        f"{confirmation.valid_until:%Y-%m-%d %H:%M} UTC."
    )


def _print_effects(old: Bundle | None, new: Bundle, directory: Directory) -> None:
    """Nothing where nothing was confirmed before: all of it is new."""
    if old is None:
        return
    found = effects(old, new, name=directory.name)
    for heading, lines in (
        ("Gaat straks door en werd vastgehouden", found.passing),
        ("Wordt straks vastgehouden en ging door", found.held),
        ("Kan beide kanten op", found.either),
    ):
        if lines:
            print(f"{heading}:", *lines, sep="\n  ")


def _print_differences(old: Bundle | None, new: Bundle) -> None:
    lines = [str(line) for line in differences(old, new)]
    for line in lines or ["Er is geen verschil."]:
        print(f"  {line}")
