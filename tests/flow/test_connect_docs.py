"""docs/connect.md as an integrator reads it: both examples run as they stand."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.catalogue import Role
from gateway.cli.simulator.new import OWN, PARTNER, make_trial
from gateway.installation import load_installation
from gateway.wire.stuf import read_document
from tests.flow.test_simulator import INTERVAL, PATIENCE, Processes

PAGE = Path(__file__).parents[2] / "docs" / "connect.md"
PORT = "8444"


def example(name):
    """Return the block behind a mark in the page."""
    found = re.search(
        rf"<!-- test: {name} -->\n```\w+\n(.*?)```\n", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    return found[1]


@pytest.fixture
def trial(tmp_path):
    """The set-up of the page, with a partner that runs."""
    make_trial(tmp_path, Role.POLITIE, port=None, interval=INTERVAL)
    processes = Processes(tmp_path)
    try:
        processes.begin("mijn", "serve", "--config", tmp_path / OWN)
        processes.begin("partner", "simulator", "partner", tmp_path / PARTNER)
        processes.says("mijn", "gateway.started")
        processes.says("partner", "luistert op")
        yield tmp_path
    finally:
        processes.close()


@pytest.fixture
def port(trial):
    listener = load_installation(trial / OWN).settings.listen.api
    assert listener is not None
    return str(listener.port)


def test_the_curl_example_hands_in_and_collects(trial, port):
    script = example("curl")
    assert f"localhost:{PORT}/" in script

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(f":{PORT}/", f":{port}/")],
        cwd=trial,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")

    def said(name):
        return json.loads((trial / f"{name}.json").read_text())

    assert "vtMeldingDi01" in {one["soort"] for one in said("soorten")["berichtsoorten"]}
    assert said("oordeel")["oordeel"] == "aangenomen"
    assert said("bewijs")["status"] == "aangenomen"
    assert said("bevestigd")["status"] == "bevestigd"
    assert said("gevolgd")["status"] == "bezorgd"
    (item,) = said("postvak")["berichten"]
    received = read_document((trial / "ontvangen.xml").read_bytes())
    assert received.name == item["soort"] == "vtTerugkoppelingDi01"
    assert said("gevolgd")["antwoord"] == "Bv01Bericht"


def test_the_python_example_takes_everything_in_once(trial, port):
    program = trial / "backend.py"
    program.write_text(example("python"), encoding="utf-8")
    backend = trial / "backend"
    good = backend / "berichten" / "vtMeldingDi01.xml"
    wrong = trial / "wrong.xml"
    wrong.write_bytes(good.read_bytes().replace(b"jeugdige", b"geen rol"))
    url = f"https://localhost:{port}/api/v1"

    def begin(*documents):
        return subprocess.Popen(
            [sys.executable, program, url, backend, *documents],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    process = begin(wrong, good)
    lines = []
    while process.stdout and not lines[-1:] == ["vtTerugkoppelingDi01"]:
        line = process.stdout.readline()
        assert line, lines
        lines.append(line.split()[0])
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert lines[0].startswith("schema.")
    assert lines[-2:] == ["aangenomen", "vtTerugkoppelingDi01"]
    stored = {read_document(p.read_bytes()).name for p in (backend / "inbox").glob("*.xml")}
    assert stored == {"vtTerugkoppelingDi01"}

    # Killed and started again with the same document: nothing is taken in twice.
    process = begin(good)
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    assert said.split()[0] == "aangenomen"
    assert len(list((backend / "inbox").glob("*.xml"))) == 1
