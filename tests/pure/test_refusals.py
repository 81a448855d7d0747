"""Every message has documents that its schema refuses, each for one reason, told by its place."""

import tomllib
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import Severity
from gateway.installation import load_catalogue, share
from gateway.wire.explain import explain
from gateway.wire.schema import SchemaSet
from tests.bare import bare
from tests.parties import EXAMPLES
from tests.vectors.changes import SECRET, changed

CATALOGUE = load_catalogue(share("config") / "catalogue.toml")
SET = SchemaSet.load(share("schemas"), CATALOGUE)
VECTORS = tomllib.loads((Path(__file__).parents[1] / "vectors" / "refusals.toml").read_text())
MESSAGES = [(name, version) for version, messages in VECTORS.items() for name in messages]
CASES = [
    pytest.param(name, version, case, id=f"{name}: {case['case']}")
    for name, version in MESSAGES
    for case in VECTORS[version][name]
]
AT_LEAST = 10


def root_of(name, folder="."):
    return etree.parse(EXAMPLES / folder / f"{name}.xml").getroot()


def test_every_message_of_the_catalogue_has_ten_refusals_or_more():
    assert {name for name, _ in MESSAGES} == {name for name, _ in CATALOGUE.kinds}
    assert all(CATALOGUE.find(*one) for one in MESSAGES)
    assert all(len(VECTORS[version][name]) >= AT_LEAST for name, version in MESSAGES)


@pytest.mark.parametrize(("name", "version", "case"), CASES)
def test_document_is_refused_for_its_one_reason(name, version, case):
    octets = changed(root_of(name), case["change"])

    (found,) = SET.validate(bare(octets), version=version)

    assert found.code == case["code"]
    assert found.path == "/".join(filter(None, (f"/{name}", case["path"])))
    assert found.severity is Severity.REFUSE
    assert SECRET not in repr(found)


@pytest.mark.parametrize(("name", "version"), MESSAGES)
def test_no_explanation_of_a_refusal_shows_a_value(name, version):
    told = 0
    for case in VECTORS[version][name]:
        octets = changed(root_of(name), case["change"])
        findings = explain(octets, SET.entry(name, version))
        told += len(findings)

        assert SECRET not in repr(findings)

    assert told >= AT_LEAST


@pytest.mark.parametrize(("name", "version"), MESSAGES)
def test_no_finding_shows_a_value_whatever_is_wrong(name, version):
    root = root_of(name, "volledig")
    refused = 0
    for element in root.iter("*"):
        before = element.text
        if not len(element):
            element.text = SECRET * 200
        for key, value in element.attrib.items():
            element.set(key, SECRET * 50)
            refused += shown_nothing(root, name, version)
            element.set(key, value)
        refused += shown_nothing(root, name, version)
        element.text = before

    assert refused > AT_LEAST


def shown_nothing(root, name, version):
    findings = SET.validate(bare(etree.tostring(root)), version=version)

    assert SECRET not in repr(findings)
    return bool(findings)
