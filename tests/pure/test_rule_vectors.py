"""Every rule is broken by a document of its own, and by nothing of an example."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.catalogue import Role
from gateway.directory import Party
from gateway.errors import SchemaViolation
from gateway.installation import load_catalogue, share
from gateway.rules import business, koppelvlak
from gateway.wire.fout import fout_for
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import Document, read_document
from tests.parties import AT, HUB, VT, directory
from tests.rule_vectors import EXAMPLES, FAMILIES, GEMEENTE, RVDK, VECTORS, Vector

MORE = (
    Party(oin=RVDK, name="RvdK", role=Role.RVDK, local=False, applicaties=("KBPS",)),
    Party(oin=GEMEENTE, name="Gemeente", role=Role.GEMEENTE, local=False, applicaties=("ZVH",)),
)


@cache
def here():
    catalogue = load_catalogue(share("config") / "catalogue.toml")
    plain = directory(HUB)
    parties = {**plain.parties, **{party.oin: party for party in MORE}}
    return replace(plain, parties=parties, catalogue=catalogue)


@cache
def schemas():
    return SchemaSet.load(share("schemas"), here().catalogue)


def kind_of(document: Document):
    catalogue = here().catalogue
    return catalogue.find(document.name, catalogue.versions(document.name)[-1])


def judged(document: Document, *, sender=None, at=AT):
    zender = document.stuurgegevens.zender
    sender = sender or (zender.organisatie if zender else VT)
    return business.check(document, kind=kind_of(document), directory=here(), sender=sender, at=at)


def read(vector: Vector) -> Document:
    return read_document(vector.octets())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.id)
def test_rule_is_broken_where_the_vector_says(vector):
    found = judged(read(vector), sender=vector.sender, at=vector.at)

    assert tuple(f.path for f in found if f.rule == vector.rule) == vector.paths


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.id)
def test_only_rules_that_double_the_schema_are_noticed_by_it(vector):
    document = read(vector)

    assert (not schemas().validate(document, version=kind_of(document).version)) is vector.schema


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")), ids=lambda p: p.stem)
def test_examples_keep_every_rule(path):
    assert judged(read_document(path.read_bytes())) == ()


def test_every_family_has_ten_vectors_and_every_rule_one():
    broken = {vector.rule for vector in VECTORS}

    assert all(len(vectors) >= 10 for vectors in FAMILIES.values())
    assert broken == {rule.id for rule in business.RULES}
    modules = {p.stem for p in Path(koppelvlak.__file__).parent.glob("*.py")}
    assert set(FAMILIES) == modules - {"__init__", "case", "rule"}


def test_rule_is_tried_on_its_own_messages_only():
    for rule in business.RULES:
        assert all(here().catalogue.versions(name) for name in rule.messages)
        tried = {
            v.example.rpartition("/")[2].partition("-")[0] for v in VECTORS if v.rule == rule.id
        }
        assert not rule.messages or tried <= rule.messages


# --- no value leaves ------------------------------------------------------------------

LEAVES = st.integers(0, 10_000)
MARK = "Zx7Qmerk"


@settings(max_examples=150)
@given(st.sampled_from(sorted(EXAMPLES.glob("**/*.xml"))), st.lists(LEAVES, max_size=6), st.data())
def test_no_finding_and_no_fault_holds_a_value_of_the_document(path, places, data):
    root = etree.fromstring(path.read_bytes())
    leaves = [e for e in root.iter("*") if not len(e) and (e.text or "").strip()]
    for place in places:
        leaf = leaves[place % len(leaves)]
        leaf.text = f"{MARK}{data.draw(st.text('0123456789 @:/', max_size=12))}"
        leaf.set("{http://www.egem.nl/StUF/StUF0301}bestandsnaam", f"{MARK}.pdf")
    document = read_document(etree.tostring(root, encoding="UTF-8"))

    found = judged(document)

    told = [f"{f.code} {f.rule} {f.path} {f.text} {f.remedy}" for f in found]
    fault = fout_for(SchemaViolation(found)) if found else None
    assert not [text for text in told if MARK in text]
    assert fault is None or MARK not in fault.omschrijving + fault.details
