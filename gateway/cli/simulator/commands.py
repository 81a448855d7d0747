"""`gateway simulator`: what an integrator tests against, alone on one machine."""

import asyncio
import signal
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.errors import Misconfigured

if TYPE_CHECKING:
    from gateway.cli.simulator.script import BackendScript, PartnerScript
    from gateway.installation import Installation

app = typer.Typer(help="A partner or a back-end to test against.", no_args_is_help=True)

SCRIPT = "script.toml"

Seconds = Annotated[
    float | None,
    typer.Option("--seconden", help="End by itself after so many seconds.", min=0),
]


class For(StrEnum):
    """Whose system is to be tested."""

    POLITIE = "politie"
    VEILIG_THUIS = "veilig-thuis"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    voor: Annotated[For, typer.Option(help="Whose system you build.")] = For.POLITIE,
    installatie: Annotated[
        Path | None,
        typer.Option(help="Make only a partner, for this existing installation.", exists=True),
    ] = None,
    adres: Annotated[
        str | None,
        typer.Option(help="With --installatie: URL of its ebMS endpoint; left out = localhost."),
    ] = None,
    poort: Annotated[
        int, typer.Option(help="First of six ports; 0 = any free ones.", min=0, max=65_530)
    ] = 8443,
) -> None:
    """Make a test set-up: keys, certificates, an access point, a partner, and the CPA between.

    With --installatie: a partner for what is there already, and a folder with what that must
    take over. Nothing is overwritten, and nothing is made for omgeving = productie.
    """
    from gateway.catalogue import Role
    from gateway.cli.simulator.new import make_partner, make_trial
    from gateway.installation import load_installation

    if installatie is not None:
        taken_over = make_partner(folder, load_installation(installatie), address=adres)
        print(f"{folder / 'simulator'} is gemaakt. Over te nemen: {taken_over}")
    else:
        make_trial(folder, Role(voor.value), port=poort or None)
        print(f"{folder} is gemaakt. Nu, elk in een eigen venster:")
        print(f"  1. gateway serve --config {folder / 'mijn'}")
        print(f"  2. gateway simulator partner {folder / 'simulator'}")
        print(f"  3. gateway simulator backend {folder / 'backend'}    (of uw eigen systeem)")
    print(f"Lees {folder / 'LEESMIJ.md'}")


@app.command()
def partner(
    folder: Annotated[
        Path, typer.Argument(help="The folder `simulator` of a set-up.", exists=True)
    ],
    script: Annotated[
        Path | None,
        typer.Option(
            help="Script; left out = script.toml in the folder.", exists=True, dir_okay=False
        ),
    ] = None,
    stuur: Annotated[
        list[str] | None,
        typer.Option(help="Also send this message; may be given more than once."),
    ] = None,
    aantal: Annotated[int, typer.Option(help="How many of each.", min=1)] = 1,
    tempo: Annotated[float, typer.Option(help="Seconds between two of them.", min=0)] = 1,
    seconden: Seconds = None,
) -> None:
    """Play the partner over ebMS2, until Ctrl-C. What it knows of messages is gone then."""
    from gateway.cli.simulator.script import PartnerZending, read_partner_script
    from gateway.installation import load_installation

    path = script or folder / SCRIPT
    read = read_partner_script(_octets(path), where=str(path))
    more = tuple(PartnerZending(bericht=b, aantal=aantal, tempo=tempo) for b in stuur or ())
    read = read.model_copy(update={"stuur": (*read.stuur, *more)})
    _run(_partner(load_installation(folder), read, seconden))


@app.command()
def backend(
    folder: Annotated[Path, typer.Argument(help="The folder `backend` of a set-up.", exists=True)],
    script: Annotated[
        Path | None,
        typer.Option(
            help="Script; left out = script.toml in the folder.", exists=True, dir_okay=False
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the access point, instead of the script's.")
    ] = None,
    token_bestand: Annotated[
        Path | None,
        typer.Option(help="File with the token, instead of the script's.", exists=True),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="CA certificates, PEM, instead of the script's.", exists=True),
    ] = None,
    seconden: Seconds = None,
) -> None:
    """Play a back-end system over REST, until Ctrl-C.

    Exit status 1 when a hand-in was refused or did not arrive.
    """
    from gateway.cli.simulator.script import read_backend_script

    path = script or folder / SCRIPT
    read = read_backend_script(_octets(path), where=str(path))
    given = {
        "url": url,
        "token_bestand": token_bestand.resolve() if token_bestand else None,
        "trust": trust.resolve() if trust else None,
    }
    system = read.systeem.model_copy(update={k: v for k, v in given.items() if v is not None})
    _run(_backend(folder, read.model_copy(update={"systeem": system}), seconden))


async def _partner(
    installation: "Installation", script: "PartnerScript", seconds: float | None
) -> int:
    from gateway.app import SystemClock
    from gateway.cli.simulator.journal import Journal
    from gateway.cli.simulator.partner import open_partner

    stop = _stopping()
    journal = Journal(SystemClock().now)
    async with open_partner(installation, script, journal):
        await _until(stop, seconds)
    journal.summary()
    return 0


async def _backend(folder: Path, script: "BackendScript", seconds: float | None) -> int:
    from gateway.app import SystemClock
    from gateway.cli.simulator.backend import open_player
    from gateway.cli.simulator.journal import Journal

    stop = _stopping()
    now = SystemClock().now
    journal = Journal(now)
    async with open_player(folder, script, journal, now) as player:
        playing = asyncio.create_task(player.play())
        await _until(stop, seconds, playing)
        playing.cancel()
        await asyncio.wait({playing})
        failed = player.refused or player.outstanding
        await player.tell()
        if not playing.cancelled():
            playing.result()
    journal.summary()
    return 1 if failed else 0


def _stopping() -> asyncio.Event:
    """Return what Ctrl-C, a closed terminal and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _until(stop: asyncio.Event, seconds: float | None, *others: "asyncio.Task[None]") -> None:
    """Wait until asked to stop, the time is up, or one of `others` has ended."""
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({asked, *others}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()


def _run(play: Coroutine[Any, Any, int]) -> None:
    status = asyncio.run(play)
    if status:
        raise typer.Exit(status)


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            "config.missing", "Het script is niet te lezen.", where=str(path)
        ) from error
