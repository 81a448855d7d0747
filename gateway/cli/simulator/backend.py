"""A back-end system over REST: hands in, collects, confirms or refuses, and answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from gateway.cli.demo.rest import BackEnd, DemoFailed, HttpRefused
from gateway.cli.simulator.documents import BELONGS, Maker, Order
from gateway.cli.simulator.errands import Errands
from gateway.cli.simulator.journal import IN, OUT, OWN, Journal
from gateway.cli.simulator.recognise import Recogniser
from gateway.cli.simulator.script import (
    GEEN,
    VANZELF,
    BackendScript,
    BackendZending,
    Ontvangst,
    Reactie,
)
from gateway.errors import GatewayError, Misconfigured
from gateway.installation import load_catalogue, share
from gateway.message import Address
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import ANSWERS, Document, read_document, value_of

_OK = 300
_NOT_LET_IN = frozenset({401, 403})
_LONG_POLL = 20
_AGAIN = 2.0


@dataclass(slots=True, kw_only=True)
class Player:
    """One back-end system that plays by a script."""

    script: BackendScript
    api: BackEnd
    maker: Maker
    rules: Recogniser[Reactie]
    journal: Journal
    now: Callable[[], datetime]
    errands: Errands
    handed_in: dict[str, str] = field(default_factory=dict)
    """Referentienummer by id, of what was taken in."""
    refused: int = 0
    taken: set[str] = field(default_factory=set)
    """Deliveries that were reacted on."""
    outstanding: int = 0
    """Hand-ins that the gateway did not answer yet."""

    async def play(self) -> None:
        """Hand in what the script says and work the postvak off, until cancelled.

        It ends by itself when the gateway does not let it in.
        """
        for zending in self.script.stuur:
            self.errands.begin(self._start(zending))
        await self._collect()

    # --- handing in -------------------------------------------------------------------

    async def _start(self, zending: BackendZending) -> None:
        await asyncio.sleep(zending.na)
        for number in range(zending.aantal):
            if number:
                await asyncio.sleep(zending.tempo)
            await self._hand_in(zending.bericht, zending.velden, zending=zending)

    async def _hand_in(
        self,
        name: str,
        texts: dict[str, str],
        *,
        to: Document | None = None,
        zending: BackendZending | None = None,
    ) -> None:
        said = zending or BackendZending(bericht=name)
        made = self._make(name, texts, to, case=said.zaak)
        if made is None:
            return
        octets, reference = made
        self.outstanding += 1
        status, body = await self._until_there((name, reference), octets, said)
        self.outstanding -= 1
        on = to.stuurgegevens.referentienummer if to else ""
        self._handed_in((name, reference, on), status, body)

    async def _until_there(
        self, message: tuple[str, str], octets: bytes, said: BackendZending
    ) -> tuple[int, dict[str, Any]]:
        """Hand in until the gateway answers: the same message again is safe."""
        name, reference = message
        while True:
            try:
                return await self.api.hand_in(
                    octets,
                    onderzoek=said.onderzoek,
                    wpg_artikel=said.wpg_artikel,
                    acuut=said.acuut,
                )
            except (aiohttp.ClientError, TimeoutError) as error:
                text = f"niet aangekomen: {type(error).__name__}"
                self.journal.say(OUT, name, text, about=reference)
                await asyncio.sleep(_AGAIN)

    def _handed_in(self, message: tuple[str, str, str], status: int, body: dict[str, Any]) -> None:
        name, reference, on = message
        if status >= _OK:
            self.refused += 1
            self.journal.say(
                OUT, name, f"HTTP {status} {body.get('code', '')}", about=reference, on=on
            )
            for one in body.get("bevindingen", ()):
                self.journal.note(f"      {one['code']} {one['pad']}: {one['tekst']}")
            return
        self.handed_in[str(body["id"])] = reference
        self.journal.say(OUT, name, str(body["status"]), about=reference, on=on)
        for reason in body.get("redenen", ()):
            self.journal.note(f"      {reason}")

    def _make(
        self, name: str, texts: dict[str, str], to: Document | None, *, case: str | None
    ) -> tuple[bytes, str] | None:
        system = self.script.systeem
        zender = Address(organisatie=system.oin, applicatie=system.applicatie)
        ontvanger = Address(organisatie=system.partner_oin, applicatie=system.partner_applicatie)
        if to is not None:
            zender = to.stuurgegevens.ontvanger or zender
            ontvanger = to.stuurgegevens.zender or ontvanger
        kind = self.maker.kind(name)
        order = Order(
            name=name,
            version=kind.version if kind else system.versie,
            zender=zender,
            ontvanger=ontvanger,
            at=self.now(),
            request=to,
            texts=texts,
            case=case,
            checked=False,
        )
        try:
            made = self.maker.make(order)
        except GatewayError as error:
            self.refused += 1
            self.journal.say(OUT, name, f"niet gemaakt: {error.code} {error.where}")
            return None
        return made.octets, made.referentienummer

    # --- the postvak ------------------------------------------------------------------

    async def _collect(self) -> None:
        """Look until refused; an outage of the gateway is waited out."""
        while True:
            try:
                for item in await self.api.postvak(wait=_LONG_POLL):
                    await self._take(item)
            except HttpRefused as error:
                self.journal.say(OWN, "postvak", str(error))
                if error.status in _NOT_LET_IN:
                    self.refused += 1
                    return
                await asyncio.sleep(_AGAIN)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.journal.say(OWN, "postvak", f"niet bereikbaar: {type(error).__name__}")
                await asyncio.sleep(_AGAIN)

    async def _take(self, item: dict[str, Any]) -> None:
        document = read_document(await self.api.content(item["id"]))
        name, plan = self.rules.plan(document)
        text = f"in het postvak ({name})" if name else "in het postvak"
        head = document.stuurgegevens
        codes = [value_of(e) for e in document.tree.iterfind("{*}body/{*}code")]
        text = " ".join([text, *codes])
        on = head.cross_refnummer
        if item["id"] in self.taken:
            text += ", herhaald"
        self.journal.say(IN, document.name, text, about=head.referentienummer, on=on)
        if item["id"] in self.taken:
            return  # taken in once, by the id of the delivery
        self.taken.add(item["id"])
        self.errands.begin(self._react(item["id"], document, plan))

    async def _react(self, delivery: str, document: Document, plan: Reactie) -> None:
        about = document.stuurgegevens.referentienummer
        await asyncio.sleep(plan.wacht)
        match plan.ontvangst:
            case Ontvangst.BV01:
                status = await self.api.confirm(delivery)
                self.journal.say(OUT, "bevestiging", f"HTTP {status}", about=about)
            case Ontvangst.FO01:
                status = await self.api.refuse(delivery, plan.fout_code, plan.fout_tekst)
                self.journal.say(OUT, f"weigering {plan.fout_code}", f"HTTP {status}", about=about)
            case Ontvangst.GEEN:
                self.journal.say(OUT, "postvak", "met opzet: blijft liggen", about=about)
        name = BELONGS.get(document.name, GEEN) if plan.antwoord == VANZELF else plan.antwoord
        wanted = plan.antwoord != VANZELF or plan.ontvangst is Ontvangst.BV01
        if name != GEEN and wanted and document.name not in ANSWERS:
            await asyncio.sleep(plan.wacht_antwoord)
            await self._hand_in(name, plan.uitkomst, to=document)

    # --- the end ----------------------------------------------------------------------

    async def tell(self) -> None:
        """Print what became of everything that was handed in."""
        await self.errands.close()
        for identity, reference in self.handed_in.items():
            try:
                found = await self.api.message(identity)
            except (aiohttp.ClientError, TimeoutError, DemoFailed):
                self.journal.say(OWN, "stand", "niet bereikbaar", about=reference)
                return
            text = f"{found['status']}, antwoord {found['antwoord'] or 'nog niet'}"
            self.journal.say(OWN, str(found["soort"]), text, about=reference)


@asynccontextmanager
async def open_player(
    folder: Path, script: BackendScript, journal: Journal, now: Callable[[], datetime]
) -> AsyncIterator[Player]:
    """Sign in with the token of the script; `folder` is what its paths are relative to.

    Raises Misconfigured `simulator.token` and `simulator.trust` for files that can not be used.
    """
    system = script.systeem
    catalogue = load_catalogue(share("config") / "catalogue.toml")
    maker = Maker(catalogue, SchemaSet.load(share("schemas"), catalogue), share("schemas"))
    api = BackEnd(
        place="backend",
        url=system.url,
        token=_token(folder / system.token_bestand),
        trust=_trust(folder / system.trust),
    )
    async with api:
        yield Player(
            script=script,
            api=api,
            maker=maker,
            rules=Recogniser(script.standaard, script.regels),
            journal=journal,
            now=now,
            errands=Errands(journal),
        )


def _token(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise Misconfigured(
            "simulator.token", "Het token is niet te lezen.", where=str(path)
        ) from error


def _trust(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise Misconfigured(
            "simulator.trust", "De stamcertificaten zijn niet te lezen.", where=str(path)
        ) from error
