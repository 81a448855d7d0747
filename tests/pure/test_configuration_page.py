"""The page with every setting, and that a configuration is refused where it says so."""

import difflib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import CatalogueFile, InstallationRole, Settings
from gateway.config_gate import ApprovalsFile, ClassificationFile
from gateway.config_page import describe
from gateway.errors import Misconfigured
from gateway.installation import load_directory, load_installation, load_settings
from gateway.installation_new import NewInstallation, NewParty, to_toml, write_installation
from gateway.toml import parse_toml

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "configuration.md"
AGAIN = (
    '.venv/bin/python -c "from pathlib import Path; from gateway.config_page import describe; '
    "Path('docs/configuration.md').write_text(describe())\""
)
OWN = {
    InstallationRole.KNOOPPUNT: NewParty(
        oin="00000099000000000009", name="Een knooppunt", role="knooppunt"
    ),
    InstallationRole.AANSLUITPUNT: NewParty(
        oin="00000099000000000001", name="Een politie", role="politie", applicaties=("BVH",)
    ),
}
SECRET = "geheim-dat-niemand-ziet"
SECTIONS = ("listen.ebms", "listen.beheer", "paths", "log", "worker", "limits", "retention")


def new(role: InstallationRole) -> NewInstallation:
    return NewInstallation(
        name="proef", role=role, party=OWN[role], others=(), services={"jz:corv:1.0.9": "1.0.9"}
    )


def refusal(text: str, model=Settings) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        parse_toml(text.encode(), model, where="gateway.toml")
    return caught.value


# --- the page -------------------------------------------------------------------------


def test_page_is_what_the_settings_say():
    written, made = PAGE.read_text(encoding="utf-8"), describe()
    difference = "\n".join(
        difflib.unified_diff(written.splitlines(), made.splitlines(), "the page", "made", n=1)
    )

    assert written == made, f"write it again with\n{AGAIN}\n{difference}"


def test_page_names_every_section_of_a_new_configuration():
    sections = {
        line
        for role in InstallationRole
        for line in to_toml(new(role)).splitlines()
        if line.startswith("[") and line != "[diensten]"  # its keys are not known before
    }
    page = describe()

    assert len(sections) > len(SECTIONS)
    assert [s for s in sections if f"## `{s}`" not in page] == []


def test_every_meaning_is_a_sentence_and_fits_its_table():
    rows = [line for line in describe().splitlines() if line.startswith("| `")]

    assert [row for row in rows if row.count("|") != 4 or not row.endswith(". |")] == []


# --- an unknown key -------------------------------------------------------------------


@pytest.mark.parametrize("role", InstallationRole)
@pytest.mark.parametrize("section", SECTIONS)
def test_unknown_key_stops_with_its_path_and_without_its_value(role, section):
    text = to_toml(new(role))
    assert f"[{section}]\n" in text

    found = refusal(text.replace(f"[{section}]\n", f'[{section}]\nonzin = "{SECRET}"\n'))

    assert (found.code, found.where) == ("config.invalid", "gateway.toml")
    assert f"{section}.onzin: onbekende instelling" in str(found)
    assert SECRET not in str(found)


@pytest.mark.parametrize("model", [Settings, ApprovalsFile, ClassificationFile, CatalogueFile])
def test_unknown_key_at_the_top_of_any_file_stops(model):
    found = refusal(f'onzin = "{SECRET}"', model)

    assert found.code == "config.invalid"
    assert "onzin: onbekende instelling" in found.text
    assert SECRET not in str(found)


def test_every_fault_is_told_at_once():
    text = to_toml(new(InstallationRole.KNOOPPUNT))
    text = text.replace('vorm = "json"', 'vorm = "roze"\nonzin = 1')
    text = text.replace("port = 8443", "port = -1")

    found = refusal(text)

    for path in ("log.vorm", "log.onzin", "listen.ebms.port"):
        assert f"{path}: " in found.text
    assert "roze" not in str(found)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("naam", f'["{SECRET}"]'),
        ("rol", f'"{SECRET}"'),
        ("partij", f'"{SECRET}"'),
        ("omgeving", f'"{SECRET}"'),
        ("listen", f'"{SECRET}"'),
        ("paths", f'{{ database = ["{SECRET}"] }}'),
        ("partijen", f'"{SECRET}"'),
        ("backends", f'[{{ naam = "x", token = "{SECRET}" }}]'),
        ("backends", f'[{{ naam = "x", tokens = [{{ sha256 = "{SECRET}" }}] }}]'),
    ],
)
def test_value_of_the_wrong_form_is_not_repeated(key, value):
    found = refusal(f"{key} = {value}")

    assert found.code == "config.invalid"
    assert f"{key}" in found.text
    assert SECRET not in str(found) + repr(found)
    assert found.__cause__ is None


@given(st.from_regex(r"[a-z_]{12}", fullmatch=True), st.integers())
def test_any_other_key_is_unknown(key, value):
    text = to_toml(new(InstallationRole.KNOOPPUNT))

    assert f"{key}: onbekende instelling" in refusal(f"{key} = {value}\n{text}").text


# --- what init writes -----------------------------------------------------------------


@pytest.mark.parametrize("role", InstallationRole)
def test_new_configuration_of_either_role_loads(tmp_path, role):
    file = write_installation(tmp_path, new(role))

    settings = load_settings(tmp_path)
    directory = load_directory(load_installation(file), epoch=0)

    assert settings == load_settings(file)
    assert (settings.rol, settings.partij) == (role, OWN[role].oin)
    assert (settings.listen.api is None) is (role is InstallationRole.KNOOPPUNT)
    assert directory.party(directory.me).local
    assert directory.gate.approvals == ()
