"""`gateway simulator` as an integrator runs it: real processes, every fault seen from his side."""

import asyncio
import re
import shutil
import signal
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from gateway.catalogue import Role
from gateway.cli.demo.rest import BackEnd
from gateway.cli.simulator.documents import BELONGS, Maker, Order
from gateway.cli.simulator.new import OWN, PARTNER, make_trial
from gateway.cli.simulator.script import read_backend_script
from gateway.installation import (
    load_catalogue,
    load_directory,
    load_installation,
    share,
)
from gateway.message import Address
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import ANSWERS, read_document
from tests.spawning import program

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
BLINK = 0.05
MELDING = "vtMeldingDi01"
INTERVAL = timedelta(seconds=2)
SHORT = (
    ("wacht = 10", "wacht = 4"),
    ("wacht_antwoord = 10", "wacht_antwoord = 0"),
    ("wacht_antwoord = 1 ", "wacht_antwoord = 0 "),
    ("seconden = 10", "seconden = 1.5"),
)


class Processes:
    """Real processes with their output in files; none is left behind."""

    def __init__(self, folder):
        self.folder = folder
        self.running = {}

    def begin(self, name, *arguments):
        with self.path(name).open("wb") as output:
            self.running[name] = subprocess.Popen(
                program("-u", "-m", "gateway", *map(str, arguments)),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def path(self, name):
        return self.folder / f"{name}.log"

    def said(self, name):
        return self.path(name).read_text(encoding="utf-8")

    def says(self, name, text, *, times=1):
        """Wait until a process has said something, so many times."""
        end = time.monotonic() + PATIENCE
        while self.said(name).count(text) < times:
            if self.running[name].poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{name} never said {text!r}:\n{self.said(name)}")
            time.sleep(BLINK)

    def stop(self, name, number=signal.SIGINT):
        self.running[name].send_signal(number)
        return self.running[name].wait(PATIENCE)

    def close(self):
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def set_up(folder, role):
    """Make a trial that does not keep a test waiting."""
    make_trial(folder, role, port=None, interval=INTERVAL)
    script = folder / PARTNER / "script.toml"
    text = script.read_text(encoding="utf-8")
    for old, new in SHORT:
        assert old in text
        text = text.replace(old, new)
    script.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """An access point of the politie and a simulated Veilig Thuis."""
    folder = tmp_path_factory.mktemp("proef")
    set_up(folder, Role.POLITIE)
    processes = Processes(folder)
    try:
        processes.begin("mijn", "serve", "--config", folder / OWN)
        processes.begin("partner", "simulator", "partner", folder / PARTNER)
        processes.says("mijn", "gateway.started")
        processes.says("partner", "luistert op")
        yield processes
    finally:
        processes.close()


@pytest.fixture
async def desk(town):
    made = Desk(town.folder, town)
    async with made.api:
        yield made


class Desk:
    """The integrator's own system."""

    def __init__(self, folder, town):
        backend = folder / "backend"
        self.town = town
        self.system = read_backend_script((backend / "script.toml").read_bytes(), where="").systeem
        self.api = BackEnd(
            place="test",
            url=self.system.url,
            token=(backend / "token").read_text(),
            trust=ssl.create_default_context(cafile=backend / "trust.pem"),
        )
        self.beheer = load_installation(folder / OWN).settings.listen.beheer.port
        catalogue = load_catalogue(share("config") / "catalogue.toml")
        schemas = SchemaSet.load(share("schemas"), catalogue)
        self.maker = Maker(catalogue, schemas, share("schemas"))

    async def hand_in(self, word):
        """Hand a melding in whose identification meets a rule; return id and referentienummer."""
        made = self.maker.make(
            Order(
                name=MELDING,
                version="1.0.9",
                zender=Address(organisatie=self.system.oin, applicatie=self.system.applicatie),
                ontvanger=Address(
                    organisatie=self.system.partner_oin,
                    applicatie=self.system.partner_applicatie,
                ),
                at=datetime.now(UTC),
                case=f"{word}-1",
            )
        )
        status, body = await self.api.hand_in(made.octets, wpg_artikel="8")
        assert status == 202, body
        return body["id"], made.referentienummer

    async def until(self, identity, check):
        """Follow a message until something holds of it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.api.message(identity)
                if check(found):
                    return found
                await asyncio.sleep(BLINK)

    async def answered(self, identity, answer="Bv01Bericht"):
        return await self.until(
            identity, lambda m: m["antwoord"] == answer and m["status"] == "bezorgd"
        )

    async def terugkoppeling(self, on):
        """Wait in the postvak for the answer on a case; return the parsed document."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for item in await self.api.postvak(wait=1):
                    document = read_document(await self.api.content(item["id"]))
                    await self.api.confirm(item["id"])
                    if on is None or on in case(document):
                        return document

    async def postvak(self):
        """Return and confirm what is there now."""
        found = []
        for item in await self.api.postvak(wait=0):
            found.append(read_document(await self.api.content(item["id"])))
            await self.api.confirm(item["id"])
        return found

    async def alarms(self):
        """Return the open alarms by the gauge of `/metrics`."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.beheer}/metrics") as answer,
        ):
            text = await answer.text()
        return re.findall(r'^gateway_alarms\{code="([^"]+)"\} [1-9]', text, re.MULTILINE)

    async def partner_says(self, text):
        await asyncio.to_thread(self.town.says, "partner", text)


def case(document):
    return [e.text for e in document.tree.iter("{*}identificatieVtMelding")]


def steps(message):
    return [step["gebeurtenis"] for step in message["stappen"]]


def codes(message):
    return {step["code"] for step in message["stappen"]} - {""}


def tries(message):
    return next(d["pogingen"] for d in message["leveringen"] if d["soort"] == "bericht")


# --- all is well ----------------------------------------------------------------------


async def test_melding_is_confirmed_and_answered(desk):
    identity, _ = await desk.hand_in("GEWOON")

    message = await desk.answered(identity)
    answer = await desk.terugkoppeling("GEWOON-1")
    assert tries(message) == 1
    assert answer.name == "vtTerugkoppelingDi01"


# --- late and wrong -------------------------------------------------------------------


async def test_late_answer_raises_no_alarm(desk):
    identity, _ = await desk.hand_in("LAAT")

    delivered = await desk.until(identity, lambda m: m["status"] == "bezorgd")
    assert not delivered["antwoord"]
    await desk.answered(identity)
    await desk.terugkoppeling("LAAT-1")
    assert await desk.alarms() == []


async def test_fo01_of_the_script_reaches_the_system_with_its_code(desk):
    identity, reference = await desk.hand_in("WEIGER")

    await desk.answered(identity, "Fo01Bericht")
    (fo01,) = [d for d in await desk.postvak() if d.name == "Fo01Bericht"]
    assert fo01.stuurgegevens.cross_refnummer == reference
    assert [e.text for e in fo01.tree.iter("{*}code")] == ["StUF058"]


async def test_silence_leaves_the_message_delivered_and_unanswered(desk):
    identity, reference = await desk.hand_in("STIL")

    await desk.partner_says(f"{reference[:8]}  ontvangen (zwijgt)")
    message = await desk.until(identity, lambda m: m["status"] == "bezorgd")
    assert not message["antwoord"]


async def test_answer_that_breaks_its_schema_is_refused_with_a_fo01(desk):
    identity, _ = await desk.hand_in("SCHEMA")

    await desk.answered(identity)
    await desk.partner_says("ontvangen op vtTerugkoppelingDi01 StUF055")
    assert [d for d in await desk.postvak() if "SCHEMA-1" in case(d)] == []


async def test_answer_about_another_case_is_taken_in_for_the_system_to_judge(desk):
    identity, _ = await desk.hand_in("ZAAK")

    await desk.answered(identity)
    answer = await desk.terugkoppeling(None)
    assert case(answer)[0].startswith("geen-zaak-")


async def test_bv01_on_another_message_answers_nothing(desk):
    identity, _ = await desk.hand_in("KRUIS")

    await desk.terugkoppeling("KRUIS-1")
    message = await desk.until(identity, lambda m: m["status"] == "bezorgd")
    assert not message["antwoord"]


async def test_answer_with_a_false_signature_is_refused_as_it_comes(desk):
    identity, _ = await desk.hand_in("VALS")

    await desk.answered(identity)
    await desk.partner_says("GEWEIGERD: MessageError SecurityFailure //Header/Signature")
    assert [d for d in await desk.postvak() if "VALS-1" in case(d)] == []


# --- acknowledgements -----------------------------------------------------------------


@pytest.mark.parametrize("word", ["GEENACK", "NAAKTACK", "ANDERACK"])
async def test_acknowledgement_that_does_not_count_costs_another_attempt(desk, word):
    identity, reference = await desk.hand_in(word)

    message = await desk.answered(identity)
    await desk.terugkoppeling(f"{word}-1")
    assert tries(message) == 2
    assert desk.town.said("partner").count(f"{reference[:8]}  opnieuw ontvangen") == 1


# --- down -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "code"), [("DICHT", "answer.lost"), ("BEZET", "http.503"), ("HANGT", "answer.lost")]
)
async def test_message_is_delivered_when_the_partner_is_up_again(desk, word, code):
    identity, reference = await desk.hand_in(word)

    retried = await desk.until(identity, lambda m: "delivery.retry" in steps(m))
    assert codes(retried) == {code}
    message = await desk.answered(identity)
    await desk.terugkoppeling(f"{word}-1")
    assert tries(message) >= 2
    assert f"{reference[:8]}  ontvangen na de storing" in desk.town.said("partner")


# --- twice ----------------------------------------------------------------------------


async def test_same_message_twice_is_taken_in_once(desk):
    await desk.hand_in("DUBBEL")

    await desk.terugkoppeling("DUBBEL-1")
    await desk.partner_says("nog eens: zelfde MessageId, zelfde octetten")
    await asyncio.sleep(0.5)
    assert [d for d in await desk.postvak() if "DUBBEL-1" in case(d)] == []


async def test_same_reference_with_other_content_is_refused(desk):
    await desk.hand_in("HERGEBRUIK")

    await desk.terugkoppeling("HERGEBRUIK-1")
    await desk.partner_says("ontvangen op vtTerugkoppelingDi01 StUF016")
    assert [d for d in await desk.postvak() if "HERGEBRUIK-1" in case(d)] == []


# --- the other half, and the end ------------------------------------------------------


RULES = f"""
[[regels]]
bericht = "{MELDING}"
keer = 2
ontvangst = "fo01"
fout_code = "StUF001"
"""


def exchanged(folder):
    """Return what the own party may send, and what the partner may."""
    directory = load_directory(load_installation(folder / OWN), epoch=0)
    (agreement,) = directory.agreements.values()
    pairs = {(b.sender.id == directory.me, b.action) for b in agreement.bindings}
    mine, theirs = ({name for own, name in pairs if own is side} for side in (True, False))
    return sorted(mine - ANSWERS), sorted(theirs - ANSWERS)


def test_back_end_of_veilig_thuis_gets_work_and_does_it(tmp_path):
    """Every message that may go either way, each with the answer that belongs to it."""
    set_up(tmp_path, Role.VEILIG_THUIS)
    mine, theirs = exchanged(tmp_path)
    script = tmp_path / "backend" / "script.toml"
    text = script.read_text(encoding="utf-8").partition("[[stuur]]")[0]
    text = text.replace('"vanzelf"', '"vanzelf"\nwacht_antwoord = 0') + RULES
    text += "".join(f'[[stuur]]\nbericht = "{name}"\n' for name in mine)
    script.write_text(text, encoding="utf-8")
    sending = [word for name in theirs for word in ("--stuur", name)]
    processes = Processes(tmp_path)
    try:
        processes.begin("backend", "simulator", "backend", tmp_path / "backend")
        processes.says("backend", "niet aangekomen")
        processes.begin("mijn", "serve", "--config", tmp_path / OWN)
        processes.says("backend", "aangenomen")
        beat = ("--aantal", "2", "--tempo", "0.5")
        processes.begin("partner", "simulator", "partner", tmp_path / PARTNER, *sending, *beat)
        processes.says("partner", f"ontvangen op {MELDING} StUF001")
        processes.says("partner", f"ontvangen op {MELDING},")
        for name in (name for name in theirs if name in BELONGS):
            # Two of each were sent, one is refused; one of its answers is handed in unasked.
            answer = BELONGS[name]
            times = 2 - (name == MELDING) + (answer in mine)
            processes.says("partner", f"← {answer:<30} ", times=times)
        for answer in (BELONGS[name] for name in mine if name in BELONGS):
            processes.says("backend", f"← {answer:<30} ")

        assert processes.stop("backend") == 0
        assert processes.stop("partner", signal.SIGTERM) == 0
    finally:
        processes.close()
    said = processes.said("partner") + processes.said("backend")
    assert "Samenvatting" in processes.said("partner")
    assert "weigering StUF001" in processes.said("backend")
    for wrong in ("Traceback", "niet gemaakt", "GEWEIGERD", "OPGEGEVEN", "mislukt", "FOUT"):
        assert wrong not in said


def test_back_end_says_what_is_wrong_with_its_token(town):
    (town.folder / "verkeerd").write_text("geen-token")
    arguments = ("--token-bestand", town.folder / "verkeerd")
    town.begin("vreemd", "simulator", "backend", town.folder / "backend", *arguments)

    assert town.running["vreemd"].wait(PATIENCE) == 1
    assert "HTTP 401" in town.said("vreemd")


def test_nothing_that_is_printed_holds_a_value_of_a_document(town):
    """Runs last of those that share the town: names, cases and bsn stay out."""
    said = town.said("partner")

    assert "ontvangen" in said
    for value in ("Proefpersoon", "999990019", "Voorbeeldlaan", "LAAT-1", "GEWOON-1"):
        assert value not in said


def test_ctrl_c_in_the_middle_of_an_outage_ends_cleanly(town):
    """Runs last: it takes the place of the partner that the others share."""
    assert town.stop("partner") == 0
    said = town.said("partner")
    script = town.folder / "down.toml"
    backend = town.folder / "backend" / "script.toml"
    backend.write_text(backend.read_text().replace("aantal = 3", "aantal = 1"))
    for how in ("dicht", "hangt"):
        script.write_text(f'[[regels]]\nstoring = "{how}"\nstoring_seconden = 600\n')
        town.begin(how, "simulator", "partner", town.folder / PARTNER, "--script", script)
        town.says(how, "luistert op")
        town.begin("backend", "simulator", "backend", town.folder / "backend")
        town.says(how, f"storing {how}")
        town.says("backend", "aangenomen")

        assert town.stop(how) == 0
        assert town.stop("backend") == 0
        assert "onderweg, antwoord nog niet" in town.said("backend")
        said += town.said(how) + town.said("backend")
    assert "Traceback" not in said


def test_partner_does_not_play_in_production(town, tmp_path):
    shutil.copytree(town.folder / PARTNER, tmp_path / PARTNER)
    config = tmp_path / PARTNER / "gateway.toml"
    config.write_text(config.read_text().replace('omgeving = "test"', 'omgeving = "productie"'))

    town.begin("echt", "simulator", "partner", tmp_path / PARTNER)

    assert town.running["echt"].wait(PATIENCE) == 2
    assert "simulator.production" in town.said("echt")
