"""Documents that break one rule each: an example, what is changed in it, rule and path.

A change works on paths of local names below the root; `*` is every element at that path.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from lxml import etree

from gateway.message import Oin
from gateway.wire.stuf import BG, JZ, STUF, TOETS, ZKN
from gateway.wire.toets import BESLUIT, INTREKKING, VOORWAARDEN
from gateway.wire.toets import VERZOEK as ASKED
from tests.parties import AT, OM, POLITIE, STRANGER, VT

Edit = Callable[[etree._Element], None]
EXAMPLES = Path(__file__).parent / "examples"
RVDK = Oin("00000004000000041000")
GEMEENTE = Oin("00000001812345678000")
XMIME = "http://www.w3.org/2005/05/xmlmime"
_NAMES = {"JZ": JZ, "StUF": STUF, "BG": BG, "ZKN": ZKN, "xmime": XMIME, "bgt": TOETS}


@dataclass(frozen=True, kw_only=True)
class Vector:
    rule: str
    example: str
    paths: tuple[str, ...]
    edits: tuple[Edit, ...]
    schema: bool = True
    """Whether the XSD lets it pass: some rules matter only beside a laxer schema pack."""
    sender: Oin | None = None
    at: datetime = field(default=AT)

    @property
    def id(self) -> str:
        return f"{self.rule}-{self.example}{self.paths[0].rpartition('object')[2]}"

    def octets(self) -> bytes:
        root = etree.fromstring((EXAMPLES / f"{self.example}.xml").read_bytes())
        for edit in self.edits:
            edit(root)
        return etree.tostring(root, encoding="UTF-8")


def _found(root: etree._Element, path: str) -> list[etree._Element]:
    steps = "/".join(f"{{*}}{step}" for step in path.split("/"))
    found = root.findall(steps)
    assert found, path
    return found


def put(path: str, text: str) -> Edit:
    def edit(root):
        _found(root, path)[0].text = text

    return edit


def drop(path: str) -> Edit:
    def edit(root):
        for element in _found(root, path):
            element.getparent().remove(element)

    return edit


def copy(path: str, times: int = 1) -> Edit:
    def edit(root):
        first = _found(root, path)[0]
        for _ in range(times):
            first.addnext(etree.fromstring(etree.tostring(first, with_tail=False)))

    return edit


def after(path: str, markup: str) -> Edit:
    """Put markup (prefixes JZ, StUF, BG, ZKN, bgt) behind the last element at a path."""

    def edit(root):
        names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())
        fragment = etree.fromstring(f"<x {names}>{markup}</x>")
        place = _found(root, path)[-1]
        for element in reversed(fragment):
            place.addnext(element)

    return edit


def attribute(path: str, name: str, text: str | None) -> Edit:
    prefix, _, local = name.rpartition(":")
    key = f"{{{_NAMES[prefix]}}}{local}" if prefix else local

    def edit(root):
        element = _found(root, path)[0]
        if text is None:
            element.attrib.pop(key)
        else:
            element.set(key, text)

    return edit


def nil(path: str) -> Edit:
    def edit(root):
        element = _found(root, path)[0]
        for child in list(element):
            element.remove(child)
        element.text = None
        element.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")

    return edit


def one(rule: str, example: str, path: str | tuple[str, ...], *edits: Edit, **facts) -> Vector:
    paths = (path,) if isinstance(path, str) else path
    root = example.rpartition("/")[2].partition("-")[0]
    return Vector(
        rule=rule,
        example=example,
        paths=tuple(f"/{root}/{p}".rstrip("/") for p in paths),
        edits=edits,
        **facts,
    )


MELDING, TERUG = "vtMeldingDi01", "vtTerugkoppelingDi01"
VCOB, UCOB, VCI, UCI = "vcobDi01", "ucobDi01", "vciDi01", "uciDi01"
GENERIEK, UITKOMST = "meldingGeneriekDi01", "uitkomstMeldingGeneriekDi01"
FULL_GENERIEK = f"volledig/{GENERIEK}"
VTO, NOTIFICATIE = "vtoDi01", "notificatieDi01"
ZORG, ZORGTERUG = "zorgmeldingDi01", "zorgmeldingTerugkoppelingDi01"
HEAD = "stuurgegevens"

STUURGEGEVENS = (
    one("JZ-001", MELDING, f"{HEAD}/zender/organisatie", sender=VT),
    one("JZ-001", VCOB, f"{HEAD}/zender/organisatie", sender=POLITIE),
    one("JZ-001", VTO, f"{HEAD}/zender/organisatie", sender=RVDK),
    one(
        "JZ-002",
        MELDING,
        f"{HEAD}/ontvanger/organisatie",
        put(f"{HEAD}/ontvanger/organisatie", STRANGER),
    ),
    one(
        "JZ-002",
        NOTIFICATIE,
        f"{HEAD}/ontvanger/organisatie",
        put(f"{HEAD}/ontvanger/organisatie", STRANGER),
    ),
    one(
        "JZ-007",
        TERUG,
        "object/isUitgevoerdDoor/gerelateerde/oinNummer",
        put("object/isUitgevoerdDoor/gerelateerde/oinNummer", "1234"),
        schema=False,
    ),
    one("JZ-008", UCI, f"{HEAD}/zender/applicatie", put(f"{HEAD}/zender/applicatie", "Anders")),
    one(
        "JZ-009",
        GENERIEK,
        f"{HEAD}/ontvanger/applicatie",
        put(f"{HEAD}/ontvanger/applicatie", "Anders"),
    ),
    one(
        "JZ-010",
        VTO,
        f"{HEAD}/ontvanger/organisatie",
        put(f"{HEAD}/ontvanger/organisatie", OM),
        put(f"{HEAD}/ontvanger/applicatie", "GPS"),
    ),
    one("JZ-011", UCOB, f"{HEAD}/functie", put(f"{HEAD}/functie", VCOB), schema=False),
    one("JZ-012", VCI, f"{HEAD}/berichtcode", put(f"{HEAD}/berichtcode", "Fo01"), schema=False),
    one("JZ-013", UCOB, f"{HEAD}/crossRefnummer", drop(f"{HEAD}/crossRefnummer"), schema=False),
    one("JZ-013", UCI, f"{HEAD}/crossRefnummer", put(f"{HEAD}/crossRefnummer", "")),
    one(
        "JZ-013",
        "Bv01Bericht",
        f"{HEAD}/crossRefnummer",
        drop(f"{HEAD}/crossRefnummer"),
        schema=False,
    ),
    one(
        "JZ-014",
        MELDING,
        f"{HEAD}/ontvanger/applicatie",
        put(f"{HEAD}/ontvanger/organisatie", POLITIE),
        put(f"{HEAD}/ontvanger/applicatie", "BVH"),
    ),
    one("JZ-016", ZORG, f"{HEAD}/tijdstipBericht", put(f"{HEAD}/tijdstipBericht", "20261332")),
    one("JZ-017", VCOB, f"{HEAD}/tijdstipBericht", at=AT - timedelta(days=2)),
    one(
        "JZ-018",
        MELDING,
        f"{HEAD}/zender/organisatie",
        put(f"{HEAD}/zender/organisatie", STRANGER),
        sender=STRANGER,
    ),
    one(
        "JZ-019",
        UCI,
        f"{HEAD}/crossRefnummer",
        put(f"{HEAD}/crossRefnummer", "zelf"),
        put(f"{HEAD}/referentienummer", "zelf"),
    ),
)

NPS = "gerelateerde/natuurlijkPersoon"
CLIENT = f"object/heeftBetrekkingOp/{NPS}"
LINK = "object/toelichtendeInformatie/url"


def link(text: str) -> Vector:
    return one(
        "JZ-022", "volledig/uciDi01", ("object[1]/toelichtendeInformatie/url",), put(LINK, text)
    )


WAARDEN = (
    *(
        one("JZ-003", name, f"{CLIENT}/inp.bsn", put(f"{CLIENT}/inp.bsn", "123456789"))
        for name in (VCOB, UCOB, VCI, UCI, GENERIEK, VTO, NOTIFICATIE, ZORG, ZORGTERUG)
    ),
    *(
        one("JZ-004", name, f"{CLIENT}/geboortedatum", put(f"{CLIENT}/geboortedatum", "20170230"))
        for name in (VCOB, GENERIEK, VTO)
    ),
    one(
        "JZ-004", NOTIFICATIE, "object/registratiedatum", put("object/registratiedatum", "20261301")
    ),
    one(
        "JZ-004",
        NOTIFICATIE,
        "object/heeft/datumStatusGezet",
        put("object/heeft/datumStatusGezet", "20261131"),
    ),
    one(
        "JZ-004",
        VTO,
        "object/heeftRelevant/gerelateerde/creatiedatum",
        put("object/heeftRelevant/gerelateerde/creatiedatum", "20260229"),
    ),
    *(
        one("JZ-005", name, f"{CLIENT}/geboortedatum", put(f"{CLIENT}/geboortedatum", "20270101"))
        for name in (UCI, GENERIEK, VTO, NOTIFICATIE)
    ),
    one("JZ-020", GENERIEK, "object/datumTijdMelding", put("object/datumTijdMelding", "20261399")),
    one(
        "JZ-020",
        FULL_GENERIEK,
        "object/betreft/gerelateerde/kent/gerelateerde/periodeVanTot/datumtijdEinde",
        put(
            "object/betreft/gerelateerde/kent/gerelateerde/periodeVanTot/datumtijdEinde",
            "20261117259900",
        ),
    ),
    one("JZ-021", GENERIEK, "object/datumTijdMelding", put("object/datumTijdMelding", "20261119")),
    link("javascript:alert(1)"),
    link("file:///etc/passwd"),
    link("https://wie:wat@politie.example/"),
    link("politie.example/toelichting"),
    link("https://[politie.example/"),
)

SITUATION = "object/betreft/gerelateerde"
INVOLVED = f"{SITUATION}/heeftBetrokken"
FIRST, SECOND = f"{INVOLVED}[1]", f"{INVOLVED}[2]"
BIRTH = f"{INVOLVED}/gerelateerde/geboortedatum"


def child_as(role: str) -> Vector:
    return one("JZ-024", MELDING, f"{FIRST}/jeugzorgrol", put(f"{INVOLVED}/jeugzorgrol", role))


VT_MELDING = (
    one("JZ-006", MELDING, "object/datumMelding", put("object/datumMelding", "20261116")),
    one("JZ-015", MELDING, "object/informering", drop("object/isGeinformeerdAan")),
    one("JZ-015", MELDING, "object/informering", nil("object/isGeinformeerdAan")),
    one("JZ-023", MELDING, FIRST, nil(f"{INVOLVED}/gerelateerde")),
    one("JZ-023", MELDING, FIRST, put(f"{INVOLVED}/gerelateerde/geslachtsnaam", "  ")),
    child_as("ouder met gezag"),
    child_as("grootouder"),
    child_as("hulpverlener"),
    child_as("voogd"),
    one("JZ-025", MELDING, f"{FIRST}/jeugzorgrol", put(BIRTH, "20000101")),
    one(
        "JZ-026",
        MELDING,
        f"{FIRST}/overigeZorgMinderjarige",
        put(BIRTH, "20100101"),
        after(f"{FIRST}/jeugzorgrol", "<JZ:overigeZorgMinderjarige>x</JZ:overigeZorgMinderjarige>"),
    ),
    one(
        "JZ-026",
        MELDING,
        f"{SECOND}/overigeZorgMinderjarige",
        after(
            f"{SECOND}/aanvullendeInformatieBetrokkenPersoon",
            "<JZ:overigeZorgMinderjarige>x</JZ:overigeZorgMinderjarige>",
        ),
    ),
    one(
        "JZ-027", MELDING, "object/indicatieSASHIngevuld", put("object/indicatieSASHIngevuld", "Ja")
    ),
    one(
        "JZ-027",
        MELDING,
        "object/indicatieSASHIngevuld",
        after("object/indicatieSASHIngevuld", "<JZ:SASHniveau>hoog</JZ:SASHniveau>"),
    ),
    one(
        "JZ-028",
        MELDING,
        "object/contactgegevensVerdiepingOpInfo",
        drop("object/contactgegevensVerdiepingOpInfo/eMail"),
        drop("object/contactgegevensVerdiepingOpInfo/telefoonnummer"),
    ),
    one(
        "JZ-029",
        MELDING,
        "object/isGeinformeerdAan/indicatieGereageerd",
        put("object/isGeinformeerdAan/indicatieGereageerd", "Ja"),
    ),
    one(
        "JZ-030",
        MELDING,
        "object/isGeinformeerdAan/datumGeinformeerd",
        put("object/isGeinformeerdAan/datumGeinformeerd", "20261101"),
    ),
)

ABOUT = "object/naarAanleidingVan/gerelateerde"
CHARGE = f"{ABOUT}/betreft/gerelateerde"
NAMED = "verantwoordelijkVoorZichtOpDeVeiligheidBelegdBij"
CONTACT = f"{CHARGE}/contactgegevensVerantwoordelijkeOrganisatie"


def outcome(status: str, uitkomst: str) -> Vector:
    return one(
        "JZ-031",
        TERUG,
        "object/uitkomst",
        put("object/status", status),
        put("object/uitkomst", uitkomst),
    )


TERUGKOPPELING = (
    outcome("melding niet ontvankelijk", "overdracht"),
    outcome("melding niet ontvankelijk", "geen vervolgstappen nodig"),
    outcome("Melding onjuist geadresseerd", "vervolgstappen belegd bij VT"),
    outcome("overdracht", "geen vervolgstappen nodig"),
    outcome("overdracht", "inzet regionaal maatwerk VT"),
    outcome("afsluiting zonder overdracht", "overdracht"),
    one("JZ-032", TERUG, "object/uitkomst", drop("object/uitkomst")),
    one("JZ-033", TERUG, f"{ABOUT}/identificatieVtMelding", nil(f"{ABOUT}/identificatieVtMelding")),
    one(
        "JZ-033",
        TERUG,
        f"{ABOUT}/identificatieVtMelding",
        put(f"{ABOUT}/identificatieVtMelding", " "),
    ),
    one("JZ-034", TERUG, f"{CHARGE}/{NAMED}/gerelateerde/naam", drop(f"{ABOUT}/betreft")),
    one("JZ-034", TERUG, f"{CHARGE}/{NAMED}/gerelateerde/naam", nil(f"{CHARGE}/{NAMED}")),
    one("JZ-035", TERUG, CONTACT, drop(CONTACT)),
    one("JZ-035", TERUG, CONTACT, drop(f"{CONTACT}/eMail"), drop(f"{CONTACT}/telefoonnummer")),
)

PERSON_FACTS = ("inp.bsn", "geboortedatum")


def only_a_name(name: str) -> Vector:
    return one("JZ-042", name, CLIENT, *(drop(f"{CLIENT}/{fact}") for fact in PERSON_FACTS))


VERZOEK = (
    *(
        one("JZ-040", name, "object/soortVerzoeker", put("object/soortVerzoeker", code))
        for name in (VCOB, VCI)
        for code in ("02", "03", "04")
    ),
    *(
        one("JZ-041", VCI, "object/redenVerzoek/code", put("object/redenVerzoek/code", code))
        for code in ("03", "04", "06")
    ),
    *(only_a_name(name) for name in (VCOB, UCOB, VCI, UCI)),
    one(
        "JZ-043",
        VCI,
        "object/specifiekeVraag[2]/code",
        put("object/specifiekeVraag[2]/code", "TRIAGE-01"),
    ),
    one(
        "JZ-043",
        UCI,
        "object/heeftBetrekkingOp/specifiekeVraag[2]/code",
        put("object/heeftBetrekkingOp/specifiekeVraag[2]/code", "TRIAGE-01"),
    ),
    one(
        "JZ-044",
        UCI,
        "object/heeftBetrekkingOp/indicatieBekend",
        put("object/heeftBetrekkingOp/indicatieBekend", "N"),
    ),
    one(
        "JZ-044",
        UCI,
        "object/heeftBetrekkingOp/indicatieBekend",
        put("object/heeftBetrekkingOp/indicatieBekend", "N"),
        drop("object/heeftRelevant"),
    ),
    one("JZ-045", UCOB, "object/identificatie", put("object/identificatie", "VT-2026-000778")),
)

INFORMED = "object/heeftBetrekkingOp/informering"
PERIOD = f"{SITUATION}/kent/gerelateerde/periodeVanTot"
REROUTE = "object/routerenNaarInstantie"
QUESTION = f"{SITUATION}/vraagAntwoord"


def informed(fact: str, reason: str) -> tuple[Edit, ...]:
    return (
        put(f"{INFORMED}/indicatieGeinformeerd", fact),
        put(f"{INFORMED}/redenNietGeinformeerd", reason)
        if reason
        else drop(f"{INFORMED}/redenNietGeinformeerd"),
        drop("object/heeftAlsOverigBetrokkene"),
    )


def status(code: str, kind: str) -> tuple[Edit, ...]:
    return put("object/statuscode", code), put("object/soortmeldingCode", kind)


def reroute(oin: str) -> Edit:
    to = f"<JZ:identificatie>{oin}</JZ:identificatie><JZ:naam>x</JZ:naam>"
    markup = f"<JZ:routerenNaarInstantie>{to}</JZ:routerenNaarInstantie>"
    return after("object/casus", markup)


GENERIEKE_MELDING = (
    one("JZ-050", FULL_GENERIEK, f"{INFORMED}/indicatieGeinformeerd", *informed("Nee", "")),
    one("JZ-051", FULL_GENERIEK, f"{INFORMED}/redenNietGeinformeerd", *informed("Ja", "x")),
    one(
        "JZ-052",
        FULL_GENERIEK,
        PERIOD,
        put(f"{PERIOD}/datumtijdBegin", "20261118"),
        put(f"{PERIOD}/datumtijdEinde", "20261117"),
    ),
    one("JZ-053", FULL_GENERIEK, f"{SITUATION}/kent/gerelateerde", drop(PERIOD)),
    one(
        "JZ-054",
        FULL_GENERIEK,
        f"{QUESTION}[2]/vraagCode",
        put(f"{QUESTION}[2]/vraagCode", "ZVH-001"),
    ),
    one(
        "JZ-054",
        FULL_GENERIEK,
        f"{QUESTION}[1]/vraagCode",
        put(f"{QUESTION}[1]/vraagCode", "NAZ-001"),
    ),
    one(
        "JZ-055",
        FULL_GENERIEK,
        f"{QUESTION}[2]/vraagCode",
        put(f"{QUESTION}[2]/vraagCode", "VT-001"),
    ),
    one("JZ-056", GENERIEK, "object/soortmeldingCode", put("object/soortmeldingCode", "ZVH")),
    one("JZ-060", UITKOMST, "object/statuscode", *status("ZVH-02", "VT")),
    one("JZ-060", UITKOMST, "object/statuscode", *status("VT-01-01", "ZVH")),
    one("JZ-061", UITKOMST, REROUTE, *status("VT-99", "VT")),
    one("JZ-062", UITKOMST, REROUTE, reroute(POLITIE)),
    one("JZ-063", UITKOMST, f"{REROUTE}/identificatie", *status("VT-99", "VT"), reroute(STRANGER)),
    one("JZ-063", UITKOMST, f"{REROUTE}/identificatie", *status("VT-99", "VT"), reroute(VT)),
    one("JZ-064", UITKOMST, "object/casus", *status("ZVH-01", "ZVH"), drop("object/casus")),
)

STUK = "object/heeftRelevant"
KIND = f"{STUK}/gerelateerde/dct.omschrijving"
RESULT = "<ZKN:resultaat><ZKN:omschrijving>{}</ZKN:omschrijving></ZKN:resultaat>"
REACHED = "object/heeft/gerelateerde/omschrijving"
MOTHER = f"object/heeftAlsBelanghebbende/{NPS}"
UNBORN = put("object/heeftBetrekkingOp/omschrijving", "Client (ongeboren kind)")
NO_BSN = drop(f"{CLIENT}/inp.bsn")


def result(status: str, text: str) -> Vector:
    return one(
        "JZ-074",
        NOTIFICATIE,
        "object/resultaat/omschrijving",
        put(REACHED, status),
        after("object/kenmerk", RESULT.format(text)),
    )


ONDERZOEK = (
    one("JZ-070", VTO, STUK, put(KIND, "Gezinsgeschiedenis")),
    one("JZ-070", VTO, (f"{STUK}[2]/gerelateerde/dct.omschrijving",), copy(STUK)),
    one(
        "JZ-070",
        VTO,
        tuple(f"{STUK}[{n}]/gerelateerde/dct.omschrijving" for n in (2, 3)),
        copy(STUK, 2),
    ),
    one(
        "JZ-071",
        VTO,
        (f"{STUK}[3]/gerelateerde/dct.omschrijving",),
        copy(STUK, 2),
        put(f"{STUK}[2]/gerelateerde/dct.omschrijving", "Gezinsgeschiedenis"),
        put(f"{STUK}[3]/gerelateerde/dct.omschrijving", "Gezinsgeschiedenis"),
    ),
    one(
        "JZ-072",
        VTO,
        "object/heeftBetrekkingOp",
        UNBORN,
        NO_BSN,
        put(f"{MOTHER}/geslachtsaanduiding", "M"),
    ),
    one(
        "JZ-072",
        VTO,
        "object/heeftBetrekkingOp",
        UNBORN,
        NO_BSN,
        drop(f"{MOTHER}/inp.bsn"),
        drop(f"{MOTHER}/geboortedatum"),
    ),
    one("JZ-073", VTO, f"{CLIENT}/inp.bsn", UNBORN),
    one("JZ-073", NOTIFICATIE, f"{CLIENT}/inp.bsn", UNBORN),
    result("Intake afgerond", "Maatregel opgelegd"),
    result("Onderzoek afgerond", "Verzoek tot onderzoek afgewezen"),
    result("Zaak afgerond", "Geen rekest Kinderbescherming"),
    one("JZ-075", NOTIFICATIE, "object/resultaat", put(REACHED, "Zaak afgerond")),
    one("JZ-076", NOTIFICATIE, "object/kenmerk", drop("object/kenmerk")),
    one(
        "JZ-077", f"volledig/{NOTIFICATIE}", "object/einddatum", put("object/einddatum", "20261118")
    ),
)

CONTENT = f"{STUK}/gerelateerde/inhoud"
NAME = f"{CONTENT}/@bestandsnaam"


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def named(rule: str, name: str) -> Vector:
    return one(rule, VTO, NAME, attribute(CONTENT, "StUF:bestandsnaam", name))


DOCUMENTEN = (
    one("JZ-080", VTO, NAME, attribute(CONTENT, "StUF:bestandsnaam", None), schema=False),
    one("JZ-080", UCI, NAME, attribute(CONTENT, "StUF:bestandsnaam", None), schema=False),
    named("JZ-081", " verzoek.pdf"),
    named("JZ-081", "../verzoek.pdf"),
    named("JZ-081", "a/b.pdf"),
    named("JZ-081", "a\\b.pdf"),
    named("JZ-081", "a:b.pdf"),
    named("JZ-081", ".pdf"),
    named("JZ-081", "-rf.pdf"),
    named("JZ-081", "a..pdf"),
    named("JZ-081", "a\u202efdp.pdf"),
    one(
        "JZ-082",
        VTO,
        (f"{STUK}[2]/gerelateerde/inhoud",),
        put(KIND, "Verzoek tot onderzoek RvdK"),
        copy(STUK),
        put(f"{STUK}[2]/gerelateerde/dct.omschrijving", "Gezinsgeschiedenis"),
        put(f"{STUK}[1]/gerelateerde/inhoud", b64(b"%PDF-" + bytes(10_499_995))),
        put(f"{STUK}[2]/gerelateerde/inhoud", b64(b"%PDF-" + bytes(10_499_996))),
    ),
    one("JZ-083", VTO, CONTENT, put(CONTENT, "geen base64!"), schema=False),
    one("JZ-083", UCI, CONTENT, put(CONTENT, "JVBERi0="[:-2]), schema=False),
    one("JZ-083", ZORG, CONTENT, put(CONTENT, "")),
    named("JZ-084", "verzoek.exe"),
    named("JZ-084", "verzoek"),
    one("JZ-085", VTO, CONTENT, put(CONTENT, b64(b"MZ\x90\x00 programma"))),
    one("JZ-085", UCI, CONTENT, put(CONTENT, b64(b"PK\x03\x04zip"))),
    one(
        "JZ-086",
        VTO,
        f"{CONTENT}/@contentType",
        attribute(CONTENT, "xmime:contentType", "text/plain; charset=utf-8"),
    ),
)

CONCERNED = "object/heeftAlsBelanghebbende"
POINT = f"{CONCERNED}/heeftAlsAanspreekpunt"

OUDE_ZORGMELDING = (
    one("JZ-090", ZORG, "object/heeftBetrekkingOp", nil(CLIENT)),
    one("JZ-090", ZORG, CONCERNED, nil(f"{CONCERNED}/{NPS}")),
    one("JZ-090", ZORG, "object/heeftBetrekkingOp", put(f"{CLIENT}/geslachtsnaam", " ")),
    one("JZ-091", ZORG, f"{CLIENT}/geboortedatum", put(f"{CLIENT}/geboortedatum", "20081118")),
    one("JZ-091", ZORG, f"{CLIENT}/geboortedatum", put(f"{CLIENT}/geboortedatum", "19700101")),
    one("JZ-092", ZORG, CONCERNED, put(f"{CONCERNED}/{NPS}/inp.bsn", "999990019")),
    one(
        "JZ-092",
        ZORG,
        f"{CONCERNED}[2]",
        copy(CONCERNED),
        put(f"{CONCERNED}[2]/{NPS}/inp.bsn", "999990019"),
    ),
    one("JZ-093", ZORGTERUG, CONCERNED, drop(CONCERNED)),
    one("JZ-094", ZORGTERUG, CONCERNED, drop(POINT)),
    one(
        "JZ-094", ZORGTERUG, CONCERNED, drop(f"{POINT}/telefoonnummer"), drop(f"{POINT}/emailadres")
    ),
)

FULL_DECISION = f"volledig/{BESLUIT}"
BY_POLICE = f"{INTREKKING}-verzoek"


def renamed(path: str, name: str) -> Edit:
    def edit(root):
        element = _found(root, path)[0]
        element.tag = f"{{{TOETS}}}{name}"

    return edit


def outcome(word: str, *edits: Edit) -> tuple[Edit, ...]:
    return put("besluit/uitkomst", word), *edits


def no_condition() -> Edit:
    return drop("besluit/voorwaarde")


TOETS_VECTORS = (
    one("BGT-001", ASKED, "verzoek/inhoud", put("verzoek/inhoud", "QUJ*D")),
    one("BGT-001", ASKED, "verzoek/inhoud", put("verzoek/inhoud", "QUJDR"), schema=False),
    one("BGT-001", ASKED, "verzoek/inhoud", put("verzoek/inhoud", ""), schema=False),
    one("BGT-002", ASKED, "verzoek/sha256", put("verzoek/sha256", "0" * 64)),
    one("BGT-002", ASKED, "verzoek/sha256", put("verzoek/inhoud", b64(b"andere inhoud"))),
    one("BGT-003", ASKED, "verzoek/omvang", put("verzoek/omvang", "1")),
    one("BGT-003", ASKED, "verzoek/omvang", put("verzoek/inhoud", b64(b"andere inhoud"))),
    one("BGT-004", ASKED, "verzoek/termijn", put("verzoek/termijn", "2026-11-18T12:00:00Z")),
    one("BGT-004", ASKED, "verzoek/termijn", put("verzoek/termijn", "2026-11-18T12:30:00+02:00")),
    one("BGT-005", ASKED, "verzoek/termijn", put("verzoek/termijn", "2026-12-19T12:00:01Z")),
    one(
        "BGT-006",
        ASKED,
        "verzoek/ontvanger/organisatie",
        put("verzoek/ontvanger/organisatie", OM),
    ),
    *(
        one("BGT-007", ASKED, "verzoek/soort", put("verzoek/soort", name))
        for name in (BESLUIT, VOORWAARDEN, "Fo01Bericht")
    ),
    one("BGT-007", VOORWAARDEN, "voorwaarden/soort", put("voorwaarden/soort", ASKED)),
    one(
        "BGT-008",
        f"volledig/{ASKED}",
        "verzoek/deelVan",
        put("verzoek/referentienummer", "deel-0001"),
    ),
    one(
        "BGT-008",
        f"volledig/{ASKED}",
        "verzoek/vervangt",
        put("verzoek/referentienummer", "oud-0001"),
    ),
    one("BGT-020", BESLUIT, "besluit/geldigTot", put("besluit/geldigTot", "2026-11-18T10:30:00Z")),
    one(
        "BGT-020",
        BESLUIT,
        "besluit/geldigTot",
        put("besluit/geldigTot", "2026-11-18T12:00:00+02:00"),
    ),
    one("BGT-021", BESLUIT, "besluit/genomenOp", at=AT - timedelta(days=1)),
    one("BGT-021", BY_POLICE, "intrekking/genomenOp", at=AT - timedelta(days=1)),
    one("BGT-022", BESLUIT, "besluit/grond", put("besluit/grond", " \n ")),
    one("BGT-022", INTREKKING, "intrekking/grond", put("intrekking/grond", " ")),
    *(
        one("BGT-023", BESLUIT, "besluit/uitkomst", *outcome(word, no_condition()))
        for word in ("nietVrijgeven", "terugNaarAfzender")
    ),
    one(
        "BGT-023",
        FULL_DECISION,
        "besluit/uitkomst",
        *outcome("nietVrijgeven", no_condition(), put("besluit/teMelden", " ")),
    ),
    one("BGT-024", BESLUIT, "besluit/uitkomst", no_condition()),
    *(
        one(
            "BGT-025",
            FULL_DECISION,
            tuple(f"besluit/voorwaarde[{n}]" for n in (1, 2)),
            *outcome(word),
        )
        for word in ("vrijgeven", "nietVrijgeven", "terugNaarAfzender")
    ),
    *(
        one(
            "BGT-026",
            f"volledig/{name}",
            f"{body}/voorwaarde[2]/code",
            put(f"{body}/voorwaarde[2]/code", "v-01"),
        )
        for name, body in ((BESLUIT, "besluit"), (VOORWAARDEN, "voorwaarden"))
    ),
    one("BGT-027", BESLUIT, "besluit/voorwaarde/tekst", put("besluit/voorwaarde/tekst", " ")),
    one(
        "BGT-027",
        VOORWAARDEN,
        "voorwaarden/voorwaarde/code",
        put("voorwaarden/voorwaarde/code", "\t"),
    ),
    one(
        "BGT-028",
        FULL_DECISION,
        "besluit/tweedeOfficier/identificatie",
        put("besluit/tweedeOfficier/identificatie", "OVJ-0117"),
    ),
    one("BGT-029", BESLUIT, "besluit/ontvanger[2]", copy("besluit/ontvanger")),
    one("BGT-040", INTREKKING, "intrekking", drop("intrekking/officier")),
    one("BGT-041", INTREKKING, "", drop("Signature")),
    *(
        one(
            "BGT-042",
            BY_POLICE,
            f"intrekking/{name}",
            renamed("intrekking/verzoek", name),
        )
        for name in ("besluit", "toestemming")
    ),
    one("BGT-042", INTREKKING, "intrekking/verzoek", renamed("intrekking/besluit", "verzoek")),
    one("BGT-050", VOORWAARDEN, "voorwaarden/geheimhouding", put("voorwaarden/geheimhouding", " ")),
)

FAMILIES = {
    "stuurgegevens": STUURGEGEVENS,
    "waarden": WAARDEN,
    "melding": VT_MELDING,
    "terugkoppeling": TERUGKOPPELING,
    "verzoek": VERZOEK,
    "generiek": GENERIEKE_MELDING,
    "onderzoek": ONDERZOEK,
    "documenten": DOCUMENTEN,
    "zorgmelding": OUDE_ZORGMELDING,
    "toets": TOETS_VECTORS,
}
VECTORS = tuple(vector for family in FAMILIES.values() for vector in family)
