"""`gateway toetsing`: what the OM gate goes by is proposed, confirmed by an officer, and placed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import SystemClock, SystemDice
from gateway.catalogue import Role
from gateway.cli import Config
from gateway.cli.deciding import Door, decide, has_database, user
from gateway.cli.toetsing_bundle import Bundle, make_bundle, put, read_bundle, write_bundle
from gateway.cli.toetsing_difference import differences
from gateway.directory import Confirmation
from gateway.errors import GatewayError, Misconfigured
from gateway.installation import Installation, gate_files, load_directory, load_installation
from gateway.installation_gate import Word, confirm
from gateway.keys.keystore import FileKeyring
from gateway.pipeline.desk import own_signing
from gateway.rules.officers import officer
from gateway.web.control import What

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
    politie: Annotated[str, typer.Option(help="OIN of the police; left out = the own party.")] = "",
    config: Config = Path(),
) -> None:
    """Put classification table and standing approvals together, for an officer to confirm."""
    installation = load_installation(config)
    files = {name: path.read_bytes() for name, path in gate_files(installation).items()}
    bundle = make_bundle(politie or installation.settings.partij, files, where=str(config))
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
    uit: Annotated[Path, typer.Option(help="File to write.")] = Path("bevestiging.xml"),
    vorig: Annotated[
        Path | None, typer.Option(help="Proposal that was confirmed before, for the difference.")
    ] = None,
    ja: Annotated[bool, typer.Option("--ja", help="Do not ask.")] = False,
    config: Config = Path(),
) -> None:
    """Confirm a proposal as an officer of the OM, in the OM's own installation."""
    installation = load_installation(config)
    bundle = read_bundle(bundel)
    print(f"Toetsingskader van politie {bundle.police}, tabel {bundle.version}:")
    _print_differences(None if vorig is None else read_bundle(vorig), bundle)
    if not ja:
        typer.confirm("Bevestigen en ondertekenen?", abort=True)
    octets = confirmed_by(installation, bundle, officier=officier, last_day=tot.date())
    put(uit, octets)
    print(f"Ondertekend: {uit}. Nu nog, bij de politie: gateway toetsing plaats {uit}")


@app.command()
def plaats(
    bevestiging: Annotated[
        Path, typer.Argument(help="Confirmation of the OM.", exists=True, dir_okay=False)
    ],
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Check a confirmation against the files here, and have the gate go by it."""
    installation = load_installation(config)
    octets = bevestiging.read_bytes()
    confirmation = judged(installation, octets)
    target = _target(installation)
    put(target, octets)
    print(f"Geplaatst: {target}. {_said(confirmation)}")
    if not has_database(installation):
        print("Er is nog geen database: het telt vanaf de eerste start.")
        return
    try:
        decide(config, What.CONFIRMED, confirmation.sha256, reden=REASON, door=door or user())
    except GatewayError as error:
        print(f"! De processen zijn niet gewaarschuwd ({error.code}): geef ze SIGHUP.")
        return
    print("De draaiende processen lezen hun bestanden opnieuw.")


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
        print(f"  toestemming {approval.id}: tot {approval.valid_until:%Y-%m-%d %H:%M} UTC")


def confirmed_by(
    installation: Installation, bundle: Bundle, *, officier: str, last_day: date
) -> bytes:
    """Return the confirmation, signed with the key that the agreements of the OM name.

    Raises Misconfigured `toetsing.om` where the own party is not the OM, PolicyViolation
    `toets.officier.*`.
    """
    directory = load_directory(installation, epoch=0)
    me = directory.parties[directory.me]
    if me.role not in {Role.OM, Role.KNOOPPUNT}:
        raise Misconfigured("toetsing.om", "Alleen het OM bevestigt een toetsingskader.")
    at = SystemClock().now()
    found = officer(directory, officier, at=at)
    signing = own_signing(directory, at)
    keys = FileKeyring(installation.path(installation.settings.paths.keys))
    word = Word(
        id=SystemDice().uuid(),
        police=bundle.police,
        files=bundle.files,
        table_version=bundle.version,
        officer=found,
        taken_at=at,
        valid_until=datetime.combine(last_day, time.max, UTC),
    )
    return confirm(word, signer=keys.signer(signing.certificate), signing=signing)


def judged(installation: Installation, octets: bytes) -> Confirmation:
    """Return the confirmation when it is good for the files here; raises Misconfigured."""
    directory = load_directory(installation, epoch=0, lapse_closes=True, confirmation=octets)
    confirmation = directory.gate.confirmation
    if confirmation is None or confirmation.sha256 != sha256(octets).hexdigest():
        code = directory.gate.fault or "gate.confirmation.nowhere"
        raise Misconfigured(code, "Deze bevestiging geldt hier niet.")
    return confirmation


def _target(installation: Installation) -> Path:
    path = installation.settings.paths.confirmation
    if path is None:
        raise Misconfigured(
            "toetsing.path", "Zet eerst paths.confirmation in gateway.toml.", where="paths"
        )
    return installation.path(path)


def _said(confirmation: Confirmation) -> str:
    return (
        f"Tabel {confirmation.table_version}, bevestigd door {confirmation.officer} op "
        f"{confirmation.taken_at:%Y-%m-%d %H:%M} UTC, geldig tot "
        f"{confirmation.valid_until:%Y-%m-%d %H:%M} UTC."
    )


def _print_differences(old: Bundle | None, new: Bundle) -> None:
    lines: Iterable[str] = list(differences(old, new))
    for line in lines or ["Er is geen verschil."]:
        print(f"  {line}")
