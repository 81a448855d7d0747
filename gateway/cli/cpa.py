"""`gateway cpa`: read an agreement as the gateway reads it, or make one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.cli import Config
from gateway.cli.deciding import Door
from gateway.cli.screen import screen
from gateway.installation import load_catalogue, load_directory, load_installation, share
from gateway.outbound.tls import KeyPair
from gateway.security.cpa_lint import of_terms
from gateway.wire import toets
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaAction, CpaParty, CpaSpec, make_cpa

app = typer.Typer(help="Agreements (CPAs).", no_args_is_help=True)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="CPA, XML.", exists=True, dir_okay=False)],
) -> None:
    """Show what the gateway takes from a CPA: profile, channel, retries, security, warnings."""
    agreement = read_cpa(file.read_bytes())
    console = screen()
    console.print(f"CPAId    {agreement.cpa_id}")
    console.print(f"status   {agreement.status}, {agreement.start} tot {agreement.end}")
    table = Table()
    for column in ("van", "actie", "profiel", "pogingen", "eindpunt", "algoritmen"):
        table.add_column(column, overflow="fold")
    for binding in agreement.bindings:
        channel = binding.channel
        names = [channel.signing.signature_algorithm] if channel.signing else []
        names += [channel.encryption.algorithm] if channel.encryption else []
        table.add_row(
            binding.sender.id,
            f"{binding.service} {binding.action}",
            channel.profile,
            f"1 + {channel.retries} × {channel.retry_interval}",
            channel.endpoint,
            ", ".join(name.rpartition("#")[2] for name in names) or "-",
        )
    console.print(table)
    for remark in of_terms(agreement, at=datetime.now(UTC)):
        console.print(f"{remark.rule.weight}: {remark}", soft_wrap=True)


@app.command()
def lint(
    file: Annotated[Path, typer.Argument(help="CPA, XML.", exists=True, dir_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="Folder of an installation, for mandates and exceptions."),
    ] = None,
) -> None:
    """Tell what is wrong or unwise in a CPA, one line per finding, and whether it may be activated.

    Needs no installation; with `--config` the mandates and exceptions of its parties count.
    Chain, revocation and keys are judged by `gateway cpa import`. Exit status 0: it may be
    activated; 1: it may not.
    """
    from gateway.cli.cpa_lint import check

    parties = {} if config is None else load_directory(load_installation(config), epoch=0).parties
    now = datetime.now(UTC)
    if not check(file, at=now, parties=parties, as_json=as_json, console=screen()):
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="CPA of now, XML.", exists=True, dir_okay=False)],
    new: Annotated[Path, typer.Argument(help="Its successor, XML.", exists=True, dir_okay=False)],
) -> None:
    """Tell in words what changes when one CPA takes the place of another.

    Terms, actions, certificates, findings that come and go, and what follows. Needs no
    installation. Exit status 0: they say the same; 1: they differ.
    """
    from gateway.importing.agreement_words import in_words

    was, becomes = (read_cpa(file.read_bytes()) for file in (old, new))
    lines = tuple(in_words(becomes, was, datetime.now(UTC)))
    console = screen()
    for line in lines:
        console.print(str(line), soft_wrap=True)
    if lines:
        raise typer.Exit(1)
    console.print("Beide CPA's zeggen hetzelfde.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CPA, XML.", exists=True, dir_okay=False)],
    *,
    proef: Annotated[bool, typer.Option("--proef", help="Only check and compare.")] = False,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Put an agreement in place, after checking it and showing what it changes.

    Running processes take it in at once. The one before it stays until it ends: what is under
    way goes on by that. One of the same CPAId is replaced; the old file is kept beside it.
    """
    from gateway.cli.cpa_import import import_ as put

    put(config, file, who=door, only_check=proef, console=screen())


@app.command()
def make(  # noqa: PLR0917 - typer takes arguments by position
    out: Annotated[Path, typer.Argument(help="File to write.")],
    party: Annotated[
        list[str],
        typer.Option(
            help="OIN,name,role,endpoint,FOLDER; it holds tls.pem, sign.pem, encrypt.pem. Twice."
        ),
    ],
    service: Annotated[str, typer.Option(help="eb:Service.")] = "jz:corv:1.0.9",
    version: Annotated[str, typer.Option(help="Version of the koppelvlak.")] = "1.0.9",
    also: Annotated[
        list[str] | None,
        typer.Option(help="SERVICE=VERSION of another service; `toets` = the OM gate. Repeat."),
    ] = None,
    profile: Annotated[str, typer.Option(help="osb-be|osb-rm, with -s or -e.")] = "osb-rm-e",
    retries: Annotated[int, typer.Option(help="Retries of the CPA.")] = 8,
    interval: Annotated[int, typer.Option(help="RetryInterval, in seconds.")] = 10_800,
    days: Annotated[int, typer.Option(help="How long it is in force.")] = 365,
) -> None:
    """Make the CPA of two parties: GCM, OAEP, SHA-256, signed acknowledgements.

    Both parties may send every message that the built-in catalogue has of the version; who
    really may is judged by role when a message is handed in. An agreement that carries the
    messages of the OM gate carries Bv01 and Fo01 under the version beside it.
    """
    if len(party) != 2:  # noqa: PLR2004 - a CPA has two
        raise typer.BadParameter("give --party twice")
    now = datetime.now(UTC).replace(microsecond=0)
    services = ((service, version), *(_service(text) for text in also or ()))
    actions = tuple(action for one in services for action in _actions(*one))
    sides = [_side(text, actions) for text in party]
    spec = CpaSpec(
        cpa_id=out.stem,
        parties=(sides[0], sides[1]),
        start=now,
        end=now + timedelta(days=days),
        profile=profile,
        retries=retries,
        retry_interval=timedelta(seconds=interval),
    )
    out.write_bytes(make_cpa(spec))
    print(f"{out}: {spec.cpa_id}")


def _service(text: str) -> tuple[str, str]:
    if text == "toets":
        return toets.SERVICE, toets.VERSION
    service, _, version = text.rpartition("=")
    if not service:
        raise typer.BadParameter("--also is SERVICE=VERSION, or toets")
    return service, version


def _actions(service: str, version: str) -> tuple[CpaAction, ...]:
    catalogue = load_catalogue(share("config") / "catalogue.toml")
    names = [name for name, its in catalogue.kinds if its == version]
    if not names:
        raise typer.BadParameter("the catalogue has no messages of this version")
    return tuple(CpaAction(service=service, action=name) for name in names)


def _side(text: str, actions: tuple[CpaAction, ...]) -> CpaParty:
    fields = text.split(",")
    if len(fields) != 5:  # noqa: PLR2004 - as the help says
        raise typer.BadParameter("a party is OIN,name,role,endpoint,FOLDER")
    oin, name, role, endpoint, folder = fields

    def der(usage: str) -> bytes:
        return KeyPair(certificate=Path(folder) / f"{usage}.pem", key=Path()).der()

    return CpaParty(
        oin=oin,
        name=name,
        role=role,
        endpoint=endpoint,
        sends=actions,
        sign=der("sign"),
        encrypt=der("encrypt"),
        client=der("tls"),
        server=der("tls"),
    )
