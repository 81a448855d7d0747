"""One table from our dotted codes to the fault of a Fo01 (domain 9.4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import (
    Finding,
    GatewayError,
    Malformed,
    Refused,
    SchemaViolation,
    Severity,
)

_CODE, _OMSCHRIJVING, _DETAILS = 7, 200, 1000
_PLACES = frozenset({"client", "server"})
_RULE = "@rule"
"""The rule's own id is the Foutcode: a koppelvlak names its codes after itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fout:
    """Body of a Fo01. Raises Malformed `stuf.fout` for what the schema does not allow."""

    code: str
    """1 to 7 characters."""
    plek: str
    """`client`: the fault is at the sender of the answered message; `server`: at ours."""
    omschrijving: str
    """1 to 200 characters."""
    details: str = ""
    """At most 1000 characters."""

    def __post_init__(self) -> None:
        """Keep the limits of the schema."""
        for name, value, least, most in (
            ("code", self.code, 1, _CODE),
            ("omschrijving", self.omschrijving, 1, _OMSCHRIJVING),
            ("details", self.details, 0, _DETAILS),
        ):
            if not least <= len(value) <= most:
                text = f"Het veld moet {least} tot {most} tekens hebben."
                raise Malformed("stuf.fout", text, where=name)
        if self.plek not in _PLACES:
            raise Malformed("stuf.fout", "Het veld moet client of server zijn.", where="plek")


@dataclass(frozen=True, slots=True)
class Row:
    """What the sender is told about one dotted code."""

    code: str
    """The StUF code."""
    omschrijving: str
    """What is wrong, in Dutch. Of a finding it is the finding's own text that goes out."""
    remedy: str = ""
    """What to do, in Dutch. Findings bring their own."""


_XML, _SENDER, _RECEIVER = "StUF055", "StUF013", "StUF010"
_AS_UTF8 = "Maak van het bericht een XML-document in UTF-8 zonder DTD en controleer het."
_ADDRESS = "Controleer OIN en applicatie van de ontvanger, en of hij dit bericht ontvangt."

TABLE: Mapping[str, Row] = {
    "bericht.actie": Row(
        "StUF034",
        "Het bericht is een ander bericht dan de envelop noemt",
        "Zet in eb:Action de naam van het hoofdelement van het bericht.",
    ),
    "bericht.onbekend": Row("StUF034", "Het bericht is onder deze afspraak niet bekend"),
    "duplicate.referentienummer": Row(
        "StUF016",
        "Het referentienummer is al gebruikt voor een bericht met een andere inhoud",
        "Geef elk bericht een eigen referentienummer.",
    ),
    "regel.berichtcode": Row("StUF022", "De berichtcode past niet bij het bericht"),
    "regel.functie": Row("StUF034", "De functie past niet bij het bericht"),
    "regel.kruisverwijzing": Row("StUF043", "Het crossRefnummer ontbreekt"),
    "regel.kruisverwijzing.zelf": Row("StUF043", "Het crossRefnummer verwijst naar het bericht"),
    "regel.ontvanger.applicatie": Row(_RECEIVER, "De ontvanger is hier niet bekend"),
    "regel.ontvanger.onbekend": Row(_RECEIVER, "De ontvanger is hier niet bekend"),
    "regel.richting": Row("StUF052", "De zender mag dit bericht niet aan deze partij sturen"),
    "regel.zender.applicatie": Row(_SENDER, "De zender is niet bekend"),
    "regel.zender.onbekend": Row(_SENDER, "De zender is niet bekend"),
    "regel.zender.organisatie": Row(_SENDER, "De zender is niet de afzender"),
    "route.agreement": Row(
        _RECEIVER,
        "Er is geen afspraak waaronder dit bericht naar de ontvanger kan",
        "Vraag het knooppunt of de ontvanger op dit bericht in deze versie is aangesloten.",
    ),
    "route.applicatie": Row(
        _RECEIVER, "De ontvanger heeft geen applicatie met deze naam", _ADDRESS
    ),
    "route.loop": Row(_RECEIVER, "Het bericht zou teruggaan naar waar het vandaan kwam", _ADDRESS),
    "route.unknown": Row(_RECEIVER, "De ontvanger is hier niet bekend", _ADDRESS),
    "stuf.root": Row(
        _XML,
        "Het hoofdelement staat niet in een namespace van het koppelvlak",
        "Gebruik de namespaces van het koppelvlak Jeugdzorg (JZ) of van StUF 3.01.",
    ),
    "stuf.stuurgegevens": Row(
        _XML,
        "In de stuurgegevens ontbreekt een element, is het leeg, of staat het er twee keer",
        "Vul de stuurgegevens in zoals het schema zegt, elk element één keer.",
    ),
    "toets.form": Row(
        _XML,
        "In een bericht over de toets ontbreekt een element, of is het niet te lezen",
        "Vul het genoemde element in zoals het schema zegt, elk element één keer.",
    ),
    "toets.inhoud": Row(
        _XML,
        "De inhoud in het verzoek is leeg of geen base64",
        "Zet de octetten van de payload als base64 in inhoud, zonder andere tekens.",
    ),
    "xml.attributes": Row(_XML, "Een element heeft te veel attributen", _AS_UTF8),
    "xml.depth": Row(_XML, "Het bericht heeft te veel niveaus", _AS_UTF8),
    "xml.doctype": Row(_XML, "Het bericht heeft een DTD; dat is niet toegestaan", _AS_UTF8),
    "xml.encoding": Row(_XML, "Het bericht is niet in UTF-8", _AS_UTF8),
    "xml.malformed": Row(_XML, "Het bericht is geen leesbare XML", _AS_UTF8),
    "xml.nodes": Row(_XML, "Het bericht heeft te veel elementen", _AS_UTF8),
    "xml.size": Row(
        _XML,
        "Het bericht is te groot",
        "Maak de documenten kleiner of verdeel ze over meer berichten; gebruik geen onbeveiligde"
        " weg.",
    ),
}
"""Dotted code → what a Fo01 says. Schema findings and other rules have a family."""

FAMILIES: Mapping[str, Row] = {
    "regel.": Row(_RULE, "Het bericht voldoet niet aan een regel van het koppelvlak"),
    "toets.": Row(
        "StUF052",
        "Dit telt niet bij de toets op opsporingsbelang",
        "Kijk naar het verzoek zoals het nu staat.",
    ),
    "schema.": Row(_XML, "Het bericht voldoet niet aan het schema"),
}
_OTHER = Row("StUF052", "Het bericht is geweigerd", "Neem contact op met het knooppunt.")
_FAILED = Row("StUF058", "Het bericht kon niet worden verwerkt", "Stuur het later opnieuw.")

AGAIN = "Herhalen helpt niet: stuur het verbeterde bericht met een nieuw referentienummer."
"""The last line of every refusal: the same number with other content would be StUF016."""
_TO_DO = "Wat te doen: "

UNDELIVERED_CODE = "bezorging.mislukt"
UNDELIVERED = Fout(
    code=_FAILED.code,
    plek="server",
    omschrijving="Het bericht is niet aantoonbaar bij de ontvanger bezorgd",
    details=f"{UNDELIVERED_CODE}\n{_TO_DO}Vraag de ontvanger of het is aangekomen. Stuur het"
    " anders opnieuw met een nieuw referentienummer.",
)
"""Given up. Neutral: it may have arrived without a sign of it, and the cause stays here."""


def row_for(code: str) -> Row | None:
    """Return the row of a refusal's dotted code, or that of its family."""
    family = next((row for prefix, row in FAMILIES.items() if code.startswith(prefix)), None)
    return TABLE.get(code, family)


def stuf_code(code: str, rule: str = "") -> str | None:
    """Return the Foutcode for a dotted code; None when no Fo01 is sent for it."""
    row = row_for(code)
    if row is None:
        return None
    return rule if row.code == _RULE else row.code


def fout_for(error: GatewayError) -> Fout:
    """Return the fault that tells the sender about `error`, so that an administrator can act.

    Omschrijving is what is wrong first; details name dotted code, rule, element path, text and
    remedy of the first findings. Texts of other errors are the operator's and stay here; their
    code and place go out.
    """
    row = (row_for(error.code) or _OTHER) if isinstance(error, Refused) else _FAILED
    findings = error.findings if isinstance(error, SchemaViolation) else ()
    code = findings[0].rule if row.code == _RULE and findings else row.code
    return Fout(
        code=code if 0 < len(code) <= _CODE else _XML,
        plek="client" if isinstance(error, Refused) else "server",
        omschrijving=_first(findings) or row.omschrijving,
        details=_details(error, row),
    )


def _first(findings: tuple[Finding, ...]) -> str:
    """Return the first finding in a sentence, with the element and how many follow, if it fits."""
    if not findings:
        return ""
    text, more = findings[0].text, len(findings) - 1
    name = findings[0].path.rpartition("/")[2]
    counted = f" (en nog {more}; zie details)" if more else ""
    sentences = (f"{name}: {text}{counted}", f"{text}{counted}", text)
    return next((s for s in sentences if len(s) <= _OMSCHRIJVING), text[:_OMSCHRIJVING])


def _details(error: GatewayError, row: Row) -> str:
    if isinstance(error, SchemaViolation):
        lines = [_line(finding) for finding in error.findings]
    else:
        place = f": {error.where}" if error.where else ""
        lines = [f"{error.code}{place}\n{_TO_DO}{row.remedy}"]
    end = f"\n{AGAIN}" if isinstance(error, Refused) else ""
    return _fit(lines, _DETAILS - len(end)) + end


def _line(finding: Finding) -> str:
    mild = " (waarschuwing)" if finding.severity is Severity.WARN else ""
    told = f"{finding.code} [{finding.rule}] {finding.path}: {finding.text}{mild}"
    return f"{told} {_TO_DO}{finding.remedy}" if finding.remedy else told


def _fit(lines: list[str], most: int) -> str:
    """Take whole lines while they fit, and say how many did not; cut only the first one."""
    kept = lines[0][:most]
    for n, line in enumerate(lines[1:], start=1):
        rest = f"\n(en nog {len(lines) - n})"
        if len(kept) + 1 + len(line) + len(rest) > most:
            return (kept + rest) if len(kept) + len(rest) <= most else kept
        kept = f"{kept}\n{line}"
    return kept
