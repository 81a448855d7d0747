"""`gateway schemas`: packs with XSDs of other versions of the koppelvlak."""

import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.app import SystemClock
from gateway.catalogue import Catalogue
from gateway.cli import Config
from gateway.cli.deciding import Door, check_decision, decide, user
from gateway.cli.screen import screen
from gateway.errors import GatewayError, Misconfigured
from gateway.installation import Installation, load_directory, load_installation, shelf_of
from gateway.message import Oin
from gateway.packs.activations import NAME as ACTIVATIONS
from gateway.packs.activations import check_moments, read_activations, write_activations
from gateway.packs.choosing import (
    Chosen,
    Scope,
    Wish,
    check_unneeded,
    chosen,
    relieved,
    running,
)
from gateway.packs.shelf import Label, Shelf, check_version
from gateway.schemapack import Activation, Activations
from gateway.snapshots import load_schemas
from gateway.web.control import What

app = typer.Typer(help="Schema packs: XSDs of other versions.", no_args_is_help=True)

Naam = Annotated[str, typer.Argument(metavar="NAAM", help="Name of the pack.", show_default=False)]
Bericht = Annotated[
    list[str], typer.Option(help="Message; more than one is allowed; left out = all.")
]
Versie = Annotated[str, typer.Option(help="Version of the koppelvlak; left out = of the pack.")]
Partner = Annotated[
    str, typer.Option(help="OIN of the other party of the agreement; left out = every partner.")
]


@app.command()
def add(
    path: Annotated[Path, typer.Argument(help="Folder or zip with XSDs.", show_default=False)],
    naam: Annotated[str, typer.Option(help="Name; left out = that of the folder or zip.")] = "",
    versie: Annotated[
        str, typer.Option(help="Version of the koppelvlak; left out = as in the name.")
    ] = "",
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Check a pack and install it. It judges nothing until it is activated."""
    installation = load_installation(config)
    name = naam or re.sub(
        r"[^a-z0-9._-]+", "-", (path.name if path.is_dir() else path.stem).lower()
    ).strip("-._")
    found = re.search(r"[0-9]+(?:\.[0-9]+)+", name)
    version = versie or (found[0] if found else "")
    label = Label(name=name, version=version, by=door or user(), at=_now())
    shelf = shelf_of(installation)
    catalogue = _catalogue(installation)
    added = shelf.add(path, label)
    written = added.manifest
    print(f"Pakket {name} (versie {version}) staat klaar: {len(written.bestanden)} XSD's.")
    if added.left_out:
        print(f"Niet overgenomen: {added.left_out} bestanden die geen XSD zijn.")
    if not written.uitleg:
        print("xmlschema kan het niet lezen: weigeringen worden korter uitgelegd.")
    for message in sorted({b.naam for b in written.berichten}):
        known = catalogue.newest(message) is not None
        print(f"  {message}" + ("" if known else ": staat niet in de catalogus (paths.catalogue)"))
    print(f"Nu nog: gateway schemas activate {name}")


@app.command("list")
def list_(config: Config = Path()) -> None:
    """List the packs, and which one judges what, from when on."""
    shelf = shelf_of(load_installation(config))
    if not shelf.names():
        print("Er zijn geen pakketten: de XSD's van de catalogus oordelen.")
        return
    table = Table("naam", "versie", "XSD's", "toegevoegd", "door", "staat", "berichten")
    for name in shelf.names():
        table.add_row(*_row(shelf, name))
    screen().print(table)
    activations, _ = read_activations(shelf.folder / ACTIVATIONS)
    if activations.lines:
        screen().print(_lines(activations, _now()))


@app.command()
def activate(
    naam: Naam,
    *,
    bericht: Bericht = [],  # noqa: B006 - typer makes a new one
    versie: Versie = "",
    partner: Partner = "",
    vanaf: Annotated[str, typer.Option(help="First moment, with its zone; left out = now.")] = "",
    tot: Annotated[
        str, typer.Option(help="End, with its zone; left out = until another takes over.")
    ] = "",
    ingang: Annotated[
        str, typer.Option(help="XSD within the pack, where a message stands in several.")
    ] = "",
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Let a pack judge messages of a version, from a moment on.

    A later activation of the same message, version and partner takes over at its own moment.
    """
    _check_words(naam, door)
    installation = load_installation(config)
    shelf, now = shelf_of(installation), _now()
    pack = shelf.load(naam)
    wish = Wish(
        version=check_version(versie or pack.version),
        since=_moment(vanaf, now) if vanaf else now,
        until=_moment(tot, now) if tot else None,
        partner=Oin(partner) if partner else None,
        messages=tuple(bericht),
        entry=ingang,
        by=door or user(),
        at=now,
    )
    with shelf.lock():
        file = shelf.folder / ACTIVATIONS
        before, _ = read_activations(file)
        catalogue = _catalogue(installation)
        found = chosen(pack, wish, catalogue)
        _replace(installation, file, before.with_lines(found.lines))
    _tell_chosen(found)
    _announce(installation, naam, f"geactiveerd vanaf {wish.since.isoformat()}", wish.by)


@app.command()
def deactivate(
    naam: Naam,
    *,
    bericht: Bericht = [],  # noqa: B006 - typer makes a new one
    versie: Versie = "",
    partner: Partner = "",
    per: Annotated[str, typer.Option(help="Moment, with its zone; left out = now.")] = "",
    door: Door = "",
    config: Config = Path(),
) -> None:
    """End what a pack judges, from a moment on; what had not begun by then is dropped."""
    _check_words(naam, door)
    installation = load_installation(config)
    shelf, now = shelf_of(installation), _now()
    moment = _moment(per, now) if per else now
    scope = Scope(
        pack=naam,
        messages=tuple(bericht),
        version=versie or None,
        partner=Oin(partner) if partner else None,
    )
    with shelf.lock():
        file = shelf.folder / ACTIVATIONS
        before, _ = read_activations(file)
        ending = running(before, scope, moment)
        after = before.ended(ending, moment)
        _replace(installation, file, after)
    for line, other in relieved(after, ending, moment):
        instead = other.pack if other else "de ingebouwde XSD, als die er is"
        print(f"{line.message} {line.version}: vanaf {_utc(moment)} {instead}")
    _announce(installation, naam, f"beëindigd per {moment.isoformat()}", door or user())


@app.command()
def remove(naam: Naam, door: Door = "", config: Config = Path()) -> None:
    """Take a pack away that judges nothing, now or later."""
    _check_words(naam, door)
    installation = load_installation(config)
    shelf = shelf_of(installation)
    with shelf.lock():
        shelf.find(naam)
        file = shelf.folder / ACTIVATIONS
        before, _ = read_activations(file)
        check_unneeded(before, naam, _now())
        after = before.without(naam)
        if after != before:
            _replace(installation, file, after)
        shelf.discard(naam)
    print(f"Pakket {naam} is verwijderd.")
    if after != before:
        _announce(installation, naam, "verwijderd", door or user())


# --- parts ----------------------------------------------------------------------------


def _now() -> datetime:
    return SystemClock().now().replace(microsecond=0)


def _check_words(naam: str, door: str) -> None:
    """What goes into the audit log is refused before anything is written."""
    check_decision(What.RESHELVED, naam, reden="gewijzigd", door=door)


def _catalogue(installation: Installation) -> Catalogue:
    """The catalogue without packs: which messages there are does not come from one."""
    return load_directory(installation, epoch=0, activations=Activations(())).catalogue


def _moment(text: str, now: datetime) -> datetime:
    """Read a moment that is not past; what was judged stays as it was judged."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - refused below, as one without a zone
    if moment.tzinfo is None or moment < now:
        raise Misconfigured(
            "pack.moment",
            "Geef een moment met zone dat niet voorbij is, bijvoorbeeld 2027-01-01T00:00+01:00.",
        )
    return moment.astimezone(UTC)


def _replace(installation: Installation, file: Path, activations: Activations) -> None:
    """Write the lines, once the whole installation loads by them."""
    check_moments(activations, where=str(file))
    directory = load_directory(installation, epoch=0, activations=activations)
    load_schemas(installation, directory)
    write_activations(file, activations)


def _announce(installation: Installation, pack: str, what: str, who: str) -> None:
    """Write it in the audit log and have the running processes read it."""
    database = installation.database
    if isinstance(database, Path) and not database.exists():
        return  # it never ran
    try:
        decide(installation.folder, What.RESHELVED, pack, reden=what, door=who)
    except GatewayError as error:
        print(
            f"Vastgelegd, maar de lopende processen weten het nog niet ({error.code}):"
            " stuur hun SIGHUP. In het auditlog staat het niet.",
            file=sys.stderr,
        )
        raise typer.Exit(75) from error
    else:
        print("De lopende processen lezen het nu in.")


def _tell_chosen(found: Chosen) -> None:
    for line in found.lines:
        who = f" met {line.partner}" if line.partner else ""
        since = _utc(line.since)
        end = f" tot {_utc(line.until)}" if line.until else ""
        print(f"{line.message} {line.version}{who}: {line.pack} vanaf {since}{end}")
    if found.unknown:
        print(f"Niet geactiveerd, want niet in de catalogus: {', '.join(found.unknown)}")
    if found.several:
        print(f"Niet geactiveerd, kies met --bericht en --ingang: {', '.join(found.several)}")
    print("Ga na dat de paden van de classificatietabel ook hier kloppen.")


def _row(shelf: Shelf, name: str) -> Iterable[str]:
    try:
        written = shelf.manifest(name)
    except GatewayError as error:
        return name, "-", "-", "-", "-", error.code, "-"
    try:
        shelf.load(name)
    except GatewayError as error:
        state = error.code
    else:
        state = "in orde"
    return (
        name,
        written.versie,
        str(len(written.bestanden)),
        _utc(written.toegevoegd_op),
        written.door,
        state,
        ", ".join(sorted({b.naam for b in written.berichten})),
    )


def _lines(activations: Activations, now: datetime) -> Table:
    table = Table("bericht", "versie", "partner", "pakket", "vanaf", "tot", "door", "stand")
    needed = activations.needed(now)
    for line in sorted(activations.lines, key=lambda a: (a.message, a.version, a.since)):
        table.add_row(
            line.message,
            line.version,
            line.partner or "alle",
            line.pack,
            _utc(line.since),
            _utc(line.until) if line.until else "-",
            line.by,
            _standing(line, needed, now),
        )
    return table


def _standing(line: Activation, needed: frozenset[Activation], now: datetime) -> str:
    if line not in needed:
        return "voorbij"
    return "nu" if line.counts(now) else "straks"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
