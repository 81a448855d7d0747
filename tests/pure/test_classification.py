from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config_gate import Nature
from gateway.directory import Beside, ClassificationRule, ClassificationTable, TermList
from gateway.errors import Misconfigured
from gateway.message import Aanlevering
from gateway.rules.classification import SHOWN_PER_RULE, check_table, classify, said_in
from gateway.wire.stuf import read_document
from tests.filling import filled
from tests.parties import TABLE, VERSION, changed, document, example

SAID = Aanlevering(onderzoek=False, wpg_artikel="8")
PLACE = "<JZ:bestaandeHulpverlening>"


def with_element(xml):
    return changed(PLACE, xml + PLACE)


def reasons(doc, table=TABLE):
    return [(r.rule, r.path) for r in classify(doc, SAID, version=VERSION, table=table).reasons]


def rule(**changes):
    made = ClassificationRule(
        id="T-01", message="vtMeldingDi01", path="object/betreft/gerelateerde/aangifte"
    )
    return replace(made, **changes)


def table(*rules):
    return replace(TABLE, rules=rules)


def test_filled_element_is_a_reason_with_its_path():
    doc = document("vtMeldingDi01-aanhouding")

    verdict = classify(doc, SAID, version=VERSION, table=TABLE)

    assert verdict.classified
    assert verdict.table_version == "2026-1"
    assert reasons(doc) == [("K-01", "/vtMeldingDi01/object/betreft/gerelateerde/aanhouding")]
    assert verdict.reasons[0].text == "Er is iemand aangehouden."


def test_message_without_filled_elements_has_no_reasons():
    verdict = classify(document(), SAID, version=VERSION, table=TABLE)

    assert (verdict.classified, verdict.reasons) == (True, ())


@pytest.mark.parametrize("xml", ["<JZ:aanhouding/>", "<JZ:aanhouding> \n </JZ:aanhouding>"])
def test_empty_element_is_not_filled(xml):
    assert reasons(with_element(xml)) == []


@pytest.mark.parametrize(
    "xml",
    [
        "<JZ:aanhouding>Ja</JZ:aanhouding>",
        "<JZ:aanhouding><!-- x -->Ja</JZ:aanhouding>",
        "<JZ:aanhouding><![CDATA[Ja]]></JZ:aanhouding>",
        "<JZ:aanhouding><x>Ja</x></JZ:aanhouding>",
        "<BG:aanhouding>Ja</BG:aanhouding>",
        "<JZ:aanhouding/><JZ:aanhouding>Ja</JZ:aanhouding>",
    ],
)
def test_text_counts_however_it_is_written(xml):
    found = [id_ for id_, _ in reasons(with_element(xml))]
    assert found == ["K-01", "commentaar"] if "<!--" in xml else found == ["K-01"]


@pytest.mark.parametrize("text", ["nee", "Nee", " NEE\n", "geen\n  aangifte", ""])
def test_words_of_a_not_condition_do_not_count(text):
    assert reasons(with_element(f"<JZ:aangifte>{text}</JZ:aangifte>")) == []


@pytest.mark.parametrize("text", ["ja", "nee, wel later", "Nее", "neen", "geen"])
def test_any_other_word_counts(text):
    assert [i for i, _ in reasons(with_element(f"<JZ:aangifte>{text}</JZ:aangifte>"))] == ["K-02"]


def test_reasons_per_rule_are_bounded():
    doc = with_element("<JZ:aanhouding>Ja</JZ:aanhouding>" * 50)

    assert len(reasons(doc)) == SHOWN_PER_RULE


def test_reason_never_holds_the_value():
    doc = with_element("<JZ:aangifte>geheim</JZ:aangifte>")

    assert "geheim" not in repr(classify(doc, SAID, version=VERSION, table=TABLE).reasons)


def test_what_the_back_end_did_not_say_is_unknown():
    verdict = classify(document(), Aanlevering(wpg_artikel="  "), version=VERSION, table=TABLE)

    assert (verdict.onderzoek, verdict.wpg_artikel) == (None, None)


def test_exempt_message_is_classified_without_rules():
    verdict = classify(document("Bv01Bericht"), Aanlevering(), version=VERSION, table=TABLE)

    assert (verdict.classified, verdict.exempt, verdict.reasons) == (True, True, ())


def test_empty_table_classifies_nothing():
    verdict = classify(
        document(),
        SAID,
        version=VERSION,
        table=ClassificationTable(version="0", messages=frozenset()),
    )

    assert not verdict.classified
    assert not verdict.exempt


others = st.frozensets(st.text(max_size=20).filter(lambda name: name != "vtMeldingDi01"))


@given(others, others)
def test_message_that_is_not_named_is_never_classified(messages, exempt):
    other = replace(TABLE, rules=(), messages=messages, exempt=exempt)

    assert not classify(document(), SAID, version=VERSION, table=other).classified


def test_message_of_a_version_that_the_table_was_not_written_for_is_not_classified():
    """A field may stand elsewhere there."""
    for version in ("1.0.10", "1.0.8", ""):
        assert not classify(document(), SAID, version=version, table=TABLE).classified


def test_good_table_passes_the_check():
    check_table(TABLE)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (rule(condition="gevuld"), "gate.condition"),
        (rule(condition=""), "gate.condition"),
        (rule(path=""), "gate.path"),
        (rule(path="object//aangifte"), "gate.path"),
        (rule(path="object/*"), "gate.path"),
        (rule(path="object/a[1]"), "gate.path"),
        (rule(message="vcobDi01"), "gate.message"),
        (rule(message="Bv01Bericht"), "gate.message"),
    ],
)
def test_table_that_means_something_else_is_refused(wrong, code):
    with pytest.raises(Misconfigured) as caught:
        check_table(table(wrong))

    assert (caught.value.code, caught.value.where) == (code, "T-01")


def test_unreadable_rule_stops_the_classification():
    with pytest.raises(Misconfigured):
        classify(document(), SAID, version=VERSION, table=table(rule(condition="gevuld")))


@pytest.mark.parametrize("words", ["<!-- de verdachte -->", "<?notitie de verdachte?>"])
@pytest.mark.parametrize("place", ["before", "after", "within"])
def test_words_that_no_schema_sees_count_wherever_they_stand(words, place):
    octets = example()
    root = octets.index(b"<", octets.index(b"?>"))
    at = {"before": root, "after": len(octets), "within": octets.rindex(b"</")}[place]
    octets = octets[:at] + words.encode() + octets[at:]

    (found,) = reasons(read_document(octets), table(rule(path="object/nergens")))

    assert found[0] == "commentaar"


# --- beside, free text, what the sender says ------------------------------------------

TERMS = TermList(name="opsporing", terms=("verdachte*", "in verzekering", "hks"))
STORY = "object/omschrijvingIncident"


def free(**changes):
    made = ClassificationTable(
        version="1",
        koppelvlak=frozenset({VERSION}),
        messages=frozenset({"vtMeldingDi01"}),
        rules=(rule(id="V-1", path=STORY, nature=Nature.FREE_TEXT, reason="Vrije tekst."),),
        terms=(TERMS,),
    )
    return replace(made, **changes)


def story(text):
    return read_document(filled(example(), VERSION, {STORY: text}))


def judged(doc):
    return classify(doc, SAID, version=VERSION, table=free()).reasons


@pytest.mark.parametrize(
    "text",
    ["de verdachte", "VERDACHTEN!", "(verdachte)", "is in\n verzekering gesteld", "HKS-bevraging"],
)
def test_free_text_counts_by_a_term(text):
    assert len(reasons(story(text), free())) == 1


@pytest.mark.parametrize("text", ["onverdachte hoek", "in verzekeringen", "hksx", "", "gewoon"])
def test_free_text_without_a_whole_term_does_not_count(text):
    assert reasons(story(text), free()) == []


@pytest.mark.parametrize(
    "text",
    [
        "de ver\u00addachte",
        "de ver\u200bdachte",
        "de ver\u2060dach\ufefften",
        "de \uff56\uff45\uff52\uff44\uff41\uff43\uff48\uff54\uff45",
        "de \U0001d42f\U0001d41e\U0001d42b\U0001d41d\U0001d41achte",
        "de verd\u00e1chte",
        "de verda\u0301chte",
        "de ver\u034fdachte",
        "de ver\u3164dachte",
        "de ver-\ndachte",
        "de ver\u2010 \r\n  dachte",
        "de ver\u00ad\ndachte",
        "in\u00a0verzekering",
        "in-\nverzekering en ex-\nverdachte",
        "h\u200dk\u200ds",
    ],
)
def test_a_term_counts_however_it_was_typed(text):
    assert [(r.rule, r.unclear) for r in judged(story(text))] == [("V-1", False)]


@pytest.mark.parametrize(
    "text", ["de v\u0435rdachte", "\u0441onfidentieel", "h\u03bas", "\u2c9fm", "d\u0261t"]
)
def test_a_word_in_two_alphabets_is_unclear(text):
    (found,) = judged(story(text))

    assert found.unclear
    assert found.path.endswith("omschrijvingIncident")
    assert text not in found.text


@pytest.mark.parametrize(
    "text",
    [
        "5 \u00b5g of 3 \u00b5mol, de 1\u00aa keer",
        "Ren\u00e9e, Zo\u00eb, \u0141ukasz, Y\u0131ld\u0131z, Stra\u00dfe, \u00c5sa",
        "\u041f\u0440\u0438\u0432\u0435\u0442 zei hij, \u05e9\u05dc\u05d5\u05dd, \u4f60\u597d",
        "na-\nijver, over-\nlast en\nverder",
    ],
)
def test_ordinary_text_in_any_language_does_not_count(text):
    assert reasons(story(text), free()) == []


def test_a_term_of_the_list_is_read_the_same_way():
    terms = (TermList(name="l", terms=("co\u00f6rdinator*", "\uff48\uff4b\uff53")),)

    assert len(reasons(story("de coordinatoren"), free(terms=terms))) == 1
    assert len(reasons(story("hks"), free(terms=terms))) == 1


def test_a_term_list_counts_for_its_receivers():
    doc = story("de verdachte")
    receiver = doc.stuurgegevens.ontvanger.organisatie

    for receivers, count in ((frozenset({receiver}), 1), (frozenset({"x"}), 0), (frozenset(), 0)):
        terms = (replace(TERMS, receivers=receivers),)
        assert len(reasons(doc, free(terms=terms))) == count


def test_free_text_alone_counts_for_a_receiver_whose_agreement_says_so():
    doc = story("gewoon")
    receiver = doc.stuurgegevens.ontvanger.organisatie

    assert len(reasons(doc, free(terms=(), free_text=frozenset({receiver})))) == 1
    assert reasons(doc, free(terms=(), free_text=frozenset({"x"}))) == []


@pytest.mark.parametrize(
    ("beside", "counts"),
    [
        (Beside(name="aanhouding", texts=frozenset({"ja"}), among=True), True),
        (Beside(name="aanhouding", texts=frozenset({"nee"}), among=True), False),
        (Beside(name="aanhouding", texts=frozenset({"nee"}), among=False), True),
        (Beside(name="aanhouding", texts=frozenset({"ja"}), among=False), False),
        (Beside(name="ontbreekt", texts=frozenset({"ja"}), among=True), True),
        (Beside(name="ontbreekt", texts=frozenset({"ja"}), among=False), True),
    ],
)
def test_a_rule_goes_by_the_element_beside_it(beside, counts):
    doc = with_element("<JZ:aanhouding>Ja</JZ:aanhouding><JZ:aangifte>Volgt</JZ:aangifte>")

    assert bool(reasons(doc, table(rule(beside=beside)))) is counts


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rules": (rule(), rule())}, "gate.rule"),
        ({"rules": (rule(nature=Nature.FREE_TEXT, condition="not:nee"),)}, "gate.rule"),
        ({"terms": (replace(TERMS, terms=()),)}, "gate.terms"),
        ({"terms": (replace(TERMS, terms=("*",)),)}, "gate.terms"),
        ({"terms": (replace(TERMS, terms=("a*b",)),)}, "gate.terms"),
        ({"terms": (replace(TERMS, terms=("\u3164",)),)}, "gate.terms"),
    ],
)
def test_a_table_that_means_nothing_is_refused(changes, code):
    with pytest.raises(Misconfigured) as caught:
        check_table(replace(TABLE, **changes))
    assert caught.value.code == code


def extra(*pairs):
    elements = "".join(
        f'<StUF:extraElement naam="{name}">{text}</StUF:extraElement>' for name, text in pairs
    )
    return with_element(f"<StUF:extraElementen>{elements}</StUF:extraElementen>")


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ((), Aanlevering()),
        (
            (("onderzoek", "Nee"), ("wpgArtikel", "8"), ("acuut", "ja")),
            Aanlevering(onderzoek=False, wpg_artikel="8", acuut=True),
        ),
        ((("onderzoek", "ja"), ("onderzoek", "nee")), Aanlevering()),
        ((("wpgArtikel", "8"), ("wpgArtikel", "13")), Aanlevering()),
        ((("onderzoek", "misschien"),), Aanlevering()),
    ],
)
def test_who_says_two_things_says_nothing(pairs, said):
    assert said_in(extra(*pairs)) == said
