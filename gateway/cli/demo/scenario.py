"""What happens in the demo, chapter by chapter. Each promise is checked; a broken one fails it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway.cli.demo import by_mail
from gateway.cli.demo.documents import Address, document, without
from gateway.cli.demo.gate import TOLD, Decisions, change_row, until
from gateway.cli.demo.line import Line
from gateway.cli.demo.partner import Partner
from gateway.cli.demo.post_office import PostOffice
from gateway.cli.demo.processes import Served
from gateway.cli.demo.rest import BackEnd, DemoFailed
from gateway.cli.demo.show import Show
from gateway.cli.demo.sites import PLACES

NAMES = {party.oin: party.name for party in PLACES.values()}
PLAYERS = ("politie", "knooppunt", "veilig-thuis")
CASE = "PL0000-2026000001"
BLINK_SECONDS = 2.0

Trace = Callable[[str, str], Awaitable[dict[str, Any] | None]]


@dataclass(slots=True, kw_only=True)
class Stage:
    """Who takes part."""

    show: Show
    politie: BackEnd
    veilig_thuis: BackEnd
    om: BackEnd
    """The system of the OM, which decides for its officers."""
    politie_database: str | Path
    politie_address: Address
    veilig_thuis_address: Address
    halt: Partner
    halt_address: Address
    veilig_thuis_process: Served
    knooppunt_process: Served
    politie_config: Path
    post: PostOffice
    veilig_thuis_alarmed: Callable[[str], Awaitable[bool]]
    """Whether an alarm with this code stands open there."""
    lines: Mapping[str, Line]
    """Over which the knooppunt reaches a place."""
    trace: Trace
    """(place, referentienummer) → the message as that installation has it."""
    sent: list[tuple[str, str]] = field(default_factory=list)
    """(what, referentienummer) of every message, for the record at the end."""


async def play(stage: Stage) -> None:
    """Play every chapter; raises DemoFailed where a promise is not kept."""
    melding = await melding_across(stage)
    await terugkoppeling_back(stage, melding)
    await nothing_is_lost(stage)
    await schema_refused_at_hand_in(stage)
    await schema_refused_over_ebms(stage)
    await changed_on_the_way(stage)
    await released_by_the_om(stage)
    await refused_by_the_om(stage)
    await changed_after_it_was_asked(stage)
    await past_the_knooppunt(stage)
    await record(stage)


async def melding_across(stage: Stage) -> str:
    stage.show.chapter("1. Een vtMeldingDi01 gaat van politie naar Veilig Thuis")
    reference = await _send_melding(stage, "vtMeldingDi01", "vtMeldingDi01")
    await _received_and_confirmed(stage, reference)
    return reference


async def terugkoppeling_back(stage: Stage, melding: str) -> None:
    stage.show.chapter("2. Een vtTerugkoppelingDi01 gaat terug")
    del melding
    reference = str(uuid4())
    octets = document(
        "vtTerugkoppelingDi01",
        zender=stage.veilig_thuis_address,
        ontvanger=stage.politie_address,
        referentienummer=reference,
        zaak=CASE,
        at=datetime.now(UTC),
    )
    status, answer = await stage.veilig_thuis.hand_in(octets)
    _expect(status, 202, answer, "aanlevering terugkoppeling")
    stage.sent.append(("vtTerugkoppelingDi01", reference))
    item = await _while_showing(stage, reference, stage.politie.receive(reference))
    await stage.politie.confirm(item["id"])
    await _answered(stage, stage.veilig_thuis, "Veilig Thuis", answer["id"], reference)


async def nothing_is_lost(stage: Stage) -> None:
    stage.show.chapter("3. Veilig Thuis valt even weg; er gaat niets verloren")
    await stage.veilig_thuis_process.stop()
    stage.show.good("aansluitpunt Veilig Thuis is gestopt")
    reference = await _send_melding(stage, "vtMeldingDi01", "vtMeldingDi01 (VT was weg)")
    await _show_for(stage, reference, BLINK_SECONDS)
    await stage.veilig_thuis_process.start()
    await stage.veilig_thuis_process.ready()
    stage.show.good("aansluitpunt Veilig Thuis draait weer")
    await _received_and_confirmed(stage, reference)
    if [i for i in await stage.veilig_thuis.postvak(wait=0) if i["referentienummer"] == reference]:
        raise DemoFailed("de melding staat na bevestiging nog in het postvak")
    stage.show.good("precies één keer aangekomen")


async def schema_refused_at_hand_in(stage: Stage) -> None:
    stage.show.chapter("4. Een bericht dat het schema breekt wordt bij aanlevering geweigerd")
    octets = without(_melding(stage, str(uuid4())), "datumIncident")
    status, problem = await stage.politie.hand_in(octets, onderzoek=False, wpg_artikel="8")
    _expect(status, 422, problem, "aanlevering zonder datumIncident")
    for finding in problem["bevindingen"]:
        stage.show.line(f"422 · {finding['code']} · {finding['pad']}")
        stage.show.line(f"      {finding['tekst']} {finding['herstel']}")
    stage.show.good("niets opgeslagen, niets verstuurd")


async def schema_refused_over_ebms(stage: Stage) -> None:
    stage.show.chapter("5. Halt controleert niet; het knooppunt antwoordt met een Fo01")
    reference = str(uuid4())
    octets = without(
        document(
            "vtMeldingDi01",
            zender=stage.halt_address,
            ontvanger=stage.veilig_thuis_address,
            referentienummer=reference,
            zaak="HALT-0001",
            at=datetime.now(UTC),
        ),
        "datumIncident",
    )
    if await stage.halt.send(octets, "vtMeldingDi01") is not None:
        raise DemoFailed("het knooppunt nam het bericht niet aan")
    async with asyncio.timeout(60):
        fo01 = await stage.halt.documents.get()
        await stage.halt.signals.get()
    if fo01.stuurgegevens.cross_refnummer != reference or fo01.name != "Fo01Bericht":
        raise DemoFailed("het antwoord is geen Fo01 op dit bericht")
    texts = {str(e.tag).rpartition("}")[2]: (e.text or "") for e in fo01.tree.iter()}
    stage.show.line(f"Fo01 · {texts['code']} · {texts['omschrijving']}")
    for line in texts.get("details", "").splitlines():
        stage.show.line(f"       {line}")
    if "datumIncident" not in texts.get("details", ""):
        raise DemoFailed("de Fo01 noemt het element niet")
    stage.show.good("Fo01 noemt element en regel; Veilig Thuis kreeg niets")
    await _fo01_delivered(stage, fo01.stuurgegevens.referentienummer)
    stage.sent.append(("vtMeldingDi01 (Halt, schema)", reference))
    stage.sent.append(("Fo01Bericht aan Halt", fo01.stuurgegevens.referentienummer))


async def _fo01_delivered(stage: Stage, reference: str) -> None:
    async with asyncio.timeout(10):
        while True:
            message = await stage.trace("knooppunt", reference)
            if message and all(d["status"] == "delivered" for d in message["leveringen"]):
                break
            await asyncio.sleep(0.1)
    stage.show.good("Halt heeft de Fo01 bevestigd met een getekende Acknowledgment")


async def changed_on_the_way(stage: Stage) -> None:
    stage.show.chapter("6. Onderweg veranderde octetten")
    octets = document(
        "vtMeldingDi01",
        zender=stage.halt_address,
        ontvanger=stage.veilig_thuis_address,
        referentienummer=str(uuid4()),
        zaak="HALT-0002",
        at=datetime.now(UTC),
    )
    errors = await stage.halt.send(octets, "vtMeldingDi01", change=flip_last_cipher_octet)
    if errors is None or errors.errors[0].code != "SecurityFailure":
        raise DemoFailed("veranderde octetten zijn niet geweigerd")
    stage.show.good(
        f"MessageError {errors.errors[0].code} op {errors.errors[0].location}, ondertekend"
    )


async def held_for_the_om(stage: Stage) -> tuple[str, str]:
    """Return reference and id of what is held."""
    reference = str(uuid4())
    octets = _melding(stage, reference, example="vtMeldingDi01-aanhouding")
    status, answer = await stage.politie.hand_in(octets, onderzoek=False, wpg_artikel="8")
    _expect(status, 202, answer, "aanlevering met aanhouding")
    if answer["status"] != "vastgehouden":
        raise DemoFailed("een melding met een aanhouding is niet vastgehouden")
    for reason in answer["redenen"]:
        stage.show.line(f"reden: {reason}")
    message = await stage.politie.message(answer["id"])
    states = {d["status"] for d in message["leveringen"]}
    steps = {s["gebeurtenis"] for s in message["stappen"]}
    if states != {"held"} or "delivery.signed" in steps:
        raise DemoFailed("een vastgehouden melding is toch verwerkt")
    if await stage.trace("knooppunt", reference) is not None:
        raise DemoFailed("een vastgehouden melding is bij het knooppunt gezien")
    stage.show.good("niet ondertekend, niet versleuteld, niet verzonden")
    return reference, str(answer["id"])


async def released_by_the_om(stage: Stage) -> None:
    stage.show.chapter("7. Een melding met een aanhouding wacht op het OM, en wordt vrijgegeven")
    reference, _ = await held_for_the_om(stage)
    stage.sent.append(("vtMeldingDi01 (vrijgegeven)", reference))
    desk = Decisions(stage.show, stage.om)
    request = await desk.request_on(reference)
    read = await desk.read(request)
    if sha256(read).hexdigest() != request["sha256"]:
        raise DemoFailed("het OM leest andere octetten dan waarop het besluit")
    stage.show.good(f"de officier leest precies de {len(read)} octetten die worden vastgehouden")
    await desk.decide(request, "vrijgeven")
    await _received_and_confirmed(stage, reference)


async def refused_by_the_om(stage: Stage) -> None:
    stage.show.chapter("8. Een tweede geeft het OM niet vrij; de politie hoort waarom")
    reference, identity = await held_for_the_om(stage)
    stage.sent.append(("vtMeldingDi01 (niet vrijgegeven)", reference))
    desk = Decisions(stage.show, stage.om)
    request = await desk.request_on(reference)
    await desk.decide(request, "nietVrijgeven", TOLD)
    # The status is read before the decision: what has this one has both.
    message = await until(stage.politie, identity, lambda m: m["status"] == "niet vrijgegeven")
    if [one["teMelden"] for one in message["toets"]] != [TOLD]:
        raise DemoFailed("de politie hoort niet waarom")
    if await stage.trace("knooppunt", reference) is not None:
        raise DemoFailed("een niet vrijgegeven melding is bij het knooppunt gezien")
    stage.show.good(f"status bij de politie: {message['status']}: {TOLD}")


async def changed_after_it_was_asked(stage: Stage) -> None:
    stage.show.chapter("9. Een derde verandert na het verzoek; het besluit geldt er niet voor")
    reference, identity = await held_for_the_om(stage)
    stage.sent.append(("vtMeldingDi01 (veranderd)", reference))
    desk = Decisions(stage.show, stage.om)
    request = await desk.request_on(reference)
    await asyncio.to_thread(change_row, stage.politie_database, identity)
    stage.show.good("in de database van de politie wijst de rij nu andere octetten aan")
    await desk.decide(request, "vrijgeven")
    await desk.status_of(request, "geweigerd door de houder")
    message = await stage.politie.message(identity)
    if message["status"] != "vastgehouden" or message["toets"]:
        raise DemoFailed("een veranderde melding is vrijgegeven")
    if await stage.trace("knooppunt", reference) is not None:
        raise DemoFailed("een veranderde melding is bij het knooppunt gezien")
    stage.show.good("het besluit is geweigerd (Fo01) en de melding blijft vastgehouden")


async def past_the_knooppunt(stage: Stage) -> None:
    stage.show.chapter("10. Het knooppunt valt weg en het kan niet wachten: beveiligde e-mail")
    for line in stage.lines.values():
        await line.cut()
    stage.show.good("het knooppunt bereikt niemand meer")
    reference = await _send_melding(stage, "vtMeldingDi01", "vtMeldingDi01 (per e-mail)")
    await _seen_at(stage, "knooppunt", reference)
    await stage.knooppunt_process.stop()
    stage.show.good("het knooppunt nam de melding aan en viel toen weg; de politie weet dat niet")
    politie = await _seen_at(stage, "politie", reference)
    await by_mail.switch(stage.show, stage.politie_config, politie["id"])
    await _letter_arrives(stage, reference)
    await _receipt_closes_it(stage, politie["id"], reference)
    await _second_copy_is_dropped(stage, reference)


async def _letter_arrives(stage: Stage, reference: str) -> None:
    letter = await by_mail.next_letter(stage.post, "veilig-thuis")
    stage.show.good(f"de mailserver van Veilig Thuis nam een brief aan: {letter.outside}")
    item = await _while_showing(stage, reference, stage.veilig_thuis.receive(reference))
    content = await stage.veilig_thuis.content(item["id"])
    stage.show.good(f"Veilig Thuis leest {len(content)} octetten, SHA-256 {item['sha256'][:16]}…")
    await stage.veilig_thuis.confirm(item["id"])


async def _receipt_closes_it(stage: Stage, identity: str, reference: str) -> None:
    letter = await by_mail.next_letter(stage.post, "politie")
    stage.show.good(f"het ontvangstbewijs gaat terug: {letter.outside}")
    await until(
        stage.politie,
        identity,
        lambda m: {d["status"] for d in m["leveringen"]} == {"replaced", "delivered"},
    )
    await _show_everywhere(stage, reference)
    stage.show.good("bezorgd: Veilig Thuis tekende voor deze octetten; het knooppunt is nog weg")


async def _second_copy_is_dropped(stage: Stage, reference: str) -> None:
    await stage.knooppunt_process.start()
    await stage.knooppunt_process.ready()
    for line in stage.lines.values():
        await line.mend()
    stage.show.good("het knooppunt is terug, en bezorgt wat het nog had")
    async with asyncio.timeout(by_mail.WITHIN):
        while True:
            await _show_everywhere(stage, reference)
            hub = await stage.trace("knooppunt", reference)
            if hub and all(d["status"] == "delivered" for d in hub["leveringen"]):
                break
            await asyncio.sleep(0.2)
    if [i for i in await stage.veilig_thuis.postvak(wait=0) if i["referentienummer"] == reference]:
        raise DemoFailed("de melding kwam twee keer in het postvak")
    if not await stage.veilig_thuis_alarmed("message.twice"):
        raise DemoFailed("niemand hoort dat de melding over twee wegen kwam")
    stage.show.good("Veilig Thuis herkent de tweede en laat die vallen; een medewerker hoort ervan")


async def record(stage: Stage) -> None:
    """Print who had each message when, as every installation wrote it down."""
    stage.show.chapter("Leveringsregister")
    rows = []
    for what, reference in stage.sent:
        for place in PLAYERS:
            message = await stage.trace(place, reference)
            rows += _rows(what, reference, place, message)
    rows.append(
        ("vtMeldingDi01 (veranderd)", "-", "knooppunt", "-", "SecurityFailure", "-", "-", "-")
    )
    stage.show.table(
        "Per bericht en per plaats",
        ("bericht", "referentie", "plaats", "naar", "status", "pogingen", "bezorgd", "antwoord"),
        rows,
    )


def _rows(
    what: str, reference: str, place: str, message: dict[str, Any] | None
) -> list[tuple[str, ...]]:
    if message is None:
        return []
    if not message["aangenomen"]:
        refused = ("-", "geweigerd", "-", "-", message["antwoord"] or "-")
        return [(what, reference[:8], place, *refused)]
    return [
        (
            what,
            reference[:8],
            place,
            NAMES.get(delivery["ontvanger"], delivery["ontvanger"]),
            delivery["status"],
            str(delivery["pogingen"]),
            (delivery["bezorgd"] or "-")[11:23] if delivery["bezorgd"] else "-",
            message["antwoord"] or "-",
        )
        for delivery in message["leveringen"]
        if delivery["soort"] == "bericht"
    ]


# --- helpers --------------------------------------------------------------------------


def flip_last_cipher_octet(body: bytes) -> bytes:
    """Change one character of the payload's cipher text, in the last CipherValue."""
    end = body.rfind(b"</", 0, body.rfind(b"CipherValue>"))
    at = end - 8
    return body[:at] + (b"A" if body[at : at + 1] != b"A" else b"B") + body[at + 1 :]


def _melding(stage: Stage, reference: str, *, example: str = "vtMeldingDi01") -> bytes:
    return document(
        example,
        zender=stage.politie_address,
        ontvanger=stage.veilig_thuis_address,
        referentienummer=reference,
        zaak=CASE,
        at=datetime.now(UTC),
    )


async def _send_melding(stage: Stage, example: str, what: str) -> str:
    reference = str(uuid4())
    octets = _melding(stage, reference, example=example)
    status, answer = await stage.politie.hand_in(octets, onderzoek=False, wpg_artikel="8")
    _expect(status, 202, answer, "aanlevering melding")
    stage.sent.append((what, reference))
    return reference


async def _received_and_confirmed(stage: Stage, reference: str) -> None:
    item = await _while_showing(stage, reference, stage.veilig_thuis.receive(reference))
    content = await stage.veilig_thuis.content(item["id"])
    stage.show.good(f"Veilig Thuis leest {len(content)} octetten, SHA-256 {item['sha256'][:16]}…")
    await stage.veilig_thuis.confirm(item["id"])
    politie = await stage.trace("politie", reference)
    if politie is None:
        raise DemoFailed("de politie kent haar eigen melding niet")
    await _answered(stage, stage.politie, "politie", politie["id"], reference)


async def _answered(
    stage: Stage, back_end: BackEnd, place: str, identity: str, reference: str
) -> None:
    """Wait for both acknowledgements: that of ebMS, and the Bv01."""
    async with asyncio.timeout(20):
        while True:
            await _show_everywhere(stage, reference)
            message = await back_end.message(identity)
            done = all(d["status"] == "delivered" for d in message["leveringen"])
            if done and message["antwoord"] == "Bv01Bericht":
                break
            await asyncio.sleep(0.1)
    await _show_everywhere(stage, reference)
    stage.show.good(f"{place}: bevestigd op beide lagen (Acknowledgment en Bv01)")


async def _while_showing(
    stage: Stage, reference: str, wait: Awaitable[dict[str, Any]]
) -> dict[str, Any]:
    task = asyncio.ensure_future(wait)
    try:
        while not task.done():
            await _show_everywhere(stage, reference)
            await asyncio.wait({task}, timeout=0.15)
        await _show_everywhere(stage, reference)
        return await task
    finally:
        task.cancel()


async def _show_for(stage: Stage, reference: str, seconds: float) -> None:
    async with asyncio.timeout(seconds + 5):
        for _ in range(int(seconds / 0.2)):
            await _show_everywhere(stage, reference)
            await asyncio.sleep(0.2)


async def _seen_at(stage: Stage, place: str, reference: str) -> dict[str, Any]:
    """Wait until a place has the message, and show how it came there."""
    async with asyncio.timeout(10):
        while True:
            message = await stage.trace(place, reference)
            if message is not None:
                break
            await asyncio.sleep(0.05)
    await _show_everywhere(stage, reference)
    return message


async def _show_everywhere(stage: Stage, reference: str) -> None:
    found = []
    for place in PLAYERS:
        message = await stage.trace(place, reference)
        if message is not None:
            found.append((place, message))
    stage.show.steps(found)


def _expect(status: int, expected: int, answer: dict[str, Any], what: str) -> None:
    if status != expected:
        raise DemoFailed(f"{what}: HTTP {status} in plaats van {expected}: {answer.get('code')}")
