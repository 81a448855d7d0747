"""What is shipped for installing: the unit, the image, and the pages that name them."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
UNIT = ROOT / "deploy" / "gateway.service"
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def service() -> dict[str, list[str]]:
    """Return the settings of [Service]; each may stand more than once."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_unit_is_what_systemd_understands(tmp_path):
    """systemd itself where it is there; its syntax everywhere."""
    parser = RawConfigParser(strict=False, allow_no_value=False)
    parser.optionxform = str
    parser.read(UNIT)
    assert parser.sections() == ["Unit", "Service", "Install"]

    program = shutil.which("systemd-analyze")
    if program is not None:
        copy = tmp_path / "gateway.service"
        text = UNIT.read_text(encoding="utf-8")
        copy.write_text(text.replace("/opt/gateway/bin/gateway", "/bin/true"), encoding="utf-8")
        done = subprocess.run(
            [program, "verify", copy], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_unit_takes_everything_away_that_the_gateway_does_not_need():
    said = service()

    assert said["User"] == ["gateway"]
    assert said["CapabilityBoundingSet"] == [""]
    assert said["ProtectSystem"] == ["strict"]
    for name in ("NoNewPrivileges", "MemoryDenyWriteExecute", "PrivateTmp", "PrivateDevices"):
        assert said[name] == ["yes"]
    assert said["LimitCORE"] == ["0"]
    assert said["UMask"] == ["0077"]


def test_unit_knows_the_exit_statuses_and_the_grace_of_a_stop():
    said = service()

    assert said["RestartPreventExitStatus"] == ["2"]
    assert int(said["TimeoutStopSec"][0]) > 10 + 5
    assert said["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def copied() -> list[str]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    from_here = [li.split()[1:-1] for li in lines if li.startswith("COPY ") and "--from" not in li]
    return [name for names in from_here for name in names]


def test_image_copies_what_there_is_and_its_context_lets_that_through():
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert len(copied()) > 5
    assert "*" in allowed
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in allowed, name


def test_image_is_not_root_and_looks_after_its_health():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert text.rindex("USER 10001") > text.rindex("FROM ")
    assert "HEALTHCHECK" in text
    assert '"--health"' in text


@pytest.mark.parametrize("page", [*PAGES, "../README.md"])
def test_links_between_pages_lead_somewhere(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    folder = (ROOT / "docs" / page).parent

    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (folder / target).exists(), target


def test_every_page_is_in_the_list_of_pages():
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")

    assert [page for page in PAGES if page != "README.md" and f"({page})" not in listed] == []
