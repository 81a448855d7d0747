"""The REST interface against the API Design Rules, by the publisher's own linter rules."""

import json
import subprocess

from gateway.web.api.openapi import NOBODY, octets
from gateway.web.api.operations import OPERATIONS

SPECTRAL = "@stoplight/spectral-cli@6.16.3"


def lint(folder, rules):
    """Return every finding, warnings too."""
    command = ["npx", "--yes", SPECTRAL, "lint", "-r", rules, "-f", "json", "openapi.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.lstrip().startswith("["), done.stderr
    found, _ = json.JSONDecoder().raw_decode(done.stdout.lstrip())
    return found


def test_the_linter_of_the_design_rules_finds_nothing(vectors, tmp_path):
    (tmp_path / "openapi.json").write_bytes(octets(OPERATIONS, NOBODY))

    assert lint(tmp_path, vectors / "adr" / "linter.yaml") == []


def test_the_linter_finds_what_is_wrong(vectors, tmp_path):
    wrong = json.loads(octets(OPERATIONS, NOBODY))
    del wrong["info"]["contact"]
    (tmp_path / "openapi.json").write_text(json.dumps(wrong))

    codes = {finding["code"] for finding in lint(tmp_path, vectors / "adr" / "linter.yaml")}
    assert "info-contact" in codes
