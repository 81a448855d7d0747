"""Runs the demo: makes the sites, starts the processes, plays, stops everything."""

import asyncio
import shutil
import signal
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import Any

from gateway.app import SystemClock
from gateway.cli.demo.mail import DOMAINS, add_mail
from gateway.cli.demo.people import Users, add_users, logins_of, new_users
from gateway.cli.demo.post_office import PostOffice
from gateway.cli.demo.postgres import Postgres
from gateway.cli.demo.rest import DemoFailed
from gateway.cli.demo.scenario import Stage, play
from gateway.cli.demo.show import Show
from gateway.cli.demo.sites import Site, Sites, make_sites
from gateway.cli.demo.traffic import traffic
from gateway.errors import GatewayError
from gateway.installation import share
from gateway.security import totp
from gateway.store.view import View
from gateway.web.api import shapes


async def run(*, stay: bool, folder: Path | None, postgresql: bool) -> int:
    """Return the exit code: 0 when every promise was kept."""
    show = Show()
    root = Path(tempfile.mkdtemp(prefix="berichtengateway-")) if folder is None else folder
    started = monotonic()
    failed = True
    _stop_on_signals()
    try:
        async with AsyncExitStack() as stack:
            server = await _server(show, stack) if postgresql else None
            await _run(show, root, stack, stay=stay, server=server)
        failed = False
    except asyncio.CancelledError:
        show.line("gestopt; er draait niets meer")
        shutil.rmtree(root, ignore_errors=folder is None)
        return 0 if stay else 130
    except (DemoFailed, GatewayError, TimeoutError) as error:
        show.console.print(f"\n[red]De demo is mislukt:[/red] {str(error) or type(error).__name__}")
        show.line(f"De logboeken staan in {root}")
    finally:
        if folder is None and not failed:
            shutil.rmtree(root, ignore_errors=True)
    if not failed and not stay:
        show.good(f"alles klopt; er draait niets meer ({monotonic() - started:.0f} s)")
    return 1 if failed else 0


def _stop_on_signals() -> None:
    """End as on Ctrl-C when the terminal closes or somebody asks: stop every process."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if task is not None:
            loop.add_signal_handler(number, task.cancel)


async def _server(show: Show, stack: AsyncExitStack) -> Postgres:
    server = await asyncio.to_thread(Postgres.make)
    stack.callback(server.remove)
    show.good(f"PostgreSQL gestart op poort {server.port}, een database per installatie")
    return server


async def _run(
    show: Show, root: Path, stack: AsyncExitStack, *, stay: bool, server: Postgres | None
) -> None:
    show.chapter("Vier installaties: knooppunt, politie, Veilig Thuis en OM")
    sites = await asyncio.to_thread(
        make_sites, root, database=server.create if server else None, lines=DOMAINS
    )
    show.good("sleutels, certificaten (TEST PKIoverheid), CRL's en vier CPA's (osb-rm-e) gemaakt")
    mail = await asyncio.to_thread(add_mail, root, sites)
    post = await stack.enter_async_context(PostOffice(mail))
    show.good("e-mail: S/MIME-certificaten, een naamserver (MX, DANE) en een mailserver")
    users = await _users(sites) if stay else None
    for line in sites.lines.values():
        await stack.enter_async_context(line)
    processes = {place: site.served() for place, site in sites.by_place.items()}
    for process in processes.values():
        stack.push_async_callback(process.stop)
        await process.start()
    await asyncio.gather(*(p.ready() for p in processes.values()))
    kind = "database" if server else "SQLite"
    for place, process in processes.items():
        show.good(
            f"{place:<13} proces {process.pid}, eigen {kind}, mTLS op poort "
            f"{sites.by_place[place].ports[0]}"
        )
    stage = Stage(
        show=show,
        politie=await stack.enter_async_context(sites.by_place["politie"].back_end(sites.anchors)),
        veilig_thuis=await stack.enter_async_context(
            sites.by_place["veilig-thuis"].back_end(sites.anchors)
        ),
        om=await stack.enter_async_context(sites.by_place["om"].back_end(sites.anchors)),
        politie_database=sites.by_place["politie"].database,
        politie_address=sites.by_place["politie"].address,
        veilig_thuis_address=sites.by_place["veilig-thuis"].address,
        halt=await stack.enter_async_context(sites.halt),
        halt_address=sites.halt_address,
        veilig_thuis_process=processes["veilig-thuis"],
        knooppunt_process=processes["knooppunt"],
        politie_config=sites.by_place["politie"].config,
        post=post,
        veilig_thuis_alarmed=lambda code: _alarmed(sites.by_place["veilig-thuis"], code),
        lines=sites.lines,
        trace=_Trace(sites),
    )
    await play(stage)
    await _verify_audit(show, sites)
    if stay:
        show.chapter("Nog wat verkeer om naar te kijken")
        await traffic(stage)
        _look_around(show, root, sites)
        if users is not None:
            _consoles(show, sites, users)
        await asyncio.Event().wait()


async def _users(sites: Sites) -> Users:
    users = new_users()
    for site in sites.by_place.values():
        await add_users(site, users)
    return users


class _Trace:
    """What each installation wrote down, read beside the running process."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._ids: dict[tuple[str, str], str] = {}

    async def __call__(self, place: str, reference: str) -> dict[str, Any] | None:
        with View(self._sites.by_place[place].database, SystemClock()) as view:
            identity = self._ids.get((place, reference)) or await self._find(view, reference)
            if identity is None:
                return None
            self._ids[place, reference] = identity
            found = await view.reader.message(identity)
        return shapes.message(found).model_dump(mode="json", by_alias=True) if found else None

    async def _find(self, view: View, reference: str) -> str | None:
        for known in await view.reader.messages(party=None, before=None, limit=50):
            if known.referentienummer == reference:
                return known.id
        return None


async def _alarmed(site: Site, code: str) -> bool:
    with View(site.database, SystemClock()) as view:
        return code in {one.code for one in await view.reader.alarms(limit=50)}


async def _verify_audit(show: Show, sites: Sites) -> None:
    for place, site in sites.by_place.items():
        with View(site.database, SystemClock()) as view:
            found = await view.verify_chain()
        if found is not None:
            raise DemoFailed(f"de auditketen van {place} klopt niet")
    show.good("de auditketens van alle vier de installaties kloppen")


def _consoles(show: Show, sites: Sites, users: Users) -> None:
    show.chapter("De consoles, in een browser (het certificaat is van de test-PKI)")
    for place, site in sites.by_place.items():
        logins = ", ".join(login for login, *_ in logins_of(site))
        show.console.print(
            f"  {place:<13} https://localhost:{site.ports[3]}   {logins}", soft_wrap=True
        )
    for line in (
        f"wachtwoord van iedereen     {users.password}",
        f"sleutel voor een app (TOTP) {totp.shown(users.secret)}",
        f"of de code van nu           {users.code}   (elke 30 seconden een andere)",
    ):
        show.console.print(f"  {line}", soft_wrap=True)


def _look_around(show: Show, root: Path, sites: Sites) -> None:
    politie, vt = sites.by_place["politie"], sites.by_place["veilig-thuis"]
    example = share("schemas") / "1.0.9" / "examples" / "vtMeldingDi01.xml"
    hub = sites.by_place["knooppunt"]
    show.chapter("Het blijft draaien; Ctrl-C stopt alles. Kijk rond:")
    for line in (
        f"installaties en logboeken:  {root}",
        f"gereed?                     curl http://127.0.0.1:{hub.ports[2]}/health/ready",
        f"metingen                    curl http://127.0.0.1:{hub.ports[2]}/metrics",
        f"berichten bij het knooppunt .venv/bin/gateway berichten list -c {hub.folder}",
        f"auditlog van de politie     .venv/bin/gateway audit list -c {politie.folder}",
        f"controle van de keten       .venv/bin/gateway audit verify -c {politie.folder}",
        f"gezondheid                  .venv/bin/gateway doctor -c {politie.folder}",
        "melding aanleveren als politie (een tweede keer is dezelfde; wijzig referentienummer):",
        f"  curl --cacert {sites.anchors} -H 'Authorization: Bearer {politie.token}' \\",
        f"       -H 'Content-Type: application/xml' --data-binary @{example} \\",
        f"       'https://localhost:{politie.ports[1]}/api/v1/berichten?onderzoek=false&wpgArtikel=8'",
        "postvak van Veilig Thuis:",
        f"  curl --cacert {sites.anchors} -H 'Authorization: Bearer {vt.token}' \\",
        f"       'https://localhost:{vt.ports[1]}/api/v1/postvak?wacht=30'",
    ):
        show.console.print(f"  {line}", soft_wrap=True)
