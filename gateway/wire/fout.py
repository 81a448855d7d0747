"""One table from our dotted codes to the fault of a Fo01 (domain 9.4)."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import GatewayError, Malformed, Refused, SchemaViolation

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
class _Row:
    prefix: str
    code: str
    omschrijving: str


_TABLE = (
    _Row("bericht.", "StUF034", "Het bericht is hier of onder deze afspraak niet bekend"),
    _Row("duplicate.", "StUF016", "Het referentienummer is al gebruikt voor een ander bericht"),
    _Row("gate.", "StUF052", "De zender mag dit bericht niet versturen"),
    _Row("regel.berichtcode", "StUF022", "De berichtcode past niet bij het bericht"),
    _Row("regel.functie", "StUF034", "De functie past niet bij het bericht"),
    _Row("regel.kruisverwijzing", "StUF043", "Het crossRefnummer ontbreekt of is niet bekend"),
    _Row("regel.ontvanger", "StUF010", "De ontvanger is hier niet bekend"),
    _Row("regel.richting", "StUF052", "De zender mag dit bericht niet aan deze partij sturen"),
    _Row("regel.zender", "StUF013", "De zender is niet bekend of is niet de afzender"),
    _Row("regel.", _RULE, "Het bericht voldoet niet aan een regel van het koppelvlak"),
    _Row("route.", "StUF010", "De ontvanger is hier niet bekend of niet bereikbaar"),
    _Row("schema.", "StUF055", "Het bericht voldoet niet aan het schema"),
    _Row("stuf.", "StUF055", "Het bericht voldoet niet aan het schema"),
    _Row("xml.", "StUF055", "Het bericht is geen leesbare XML"),
    _Row("zender.", "StUF013", "De zender is niet bekend of is niet de afzender"),
)
_OTHER = _Row("", "StUF052", "Het bericht is geweigerd")
_FAILED = _Row("", "StUF058", "Het bericht kon niet worden verwerkt")

UNDELIVERED = Fout(
    code=_FAILED.code,
    plek="server",
    omschrijving="Het bericht is niet aantoonbaar bij de ontvanger bezorgd",
    details="bezorging.mislukt",
)
"""Given up. Neutral: it may have arrived without a sign of it, and the cause stays here."""


def fout_for(error: GatewayError) -> Fout:
    """Return the fault that tells the sender about `error`.

    Details name the dotted code, rule, element path and text of the first findings. Texts
    of other errors are the operator's and stay here; their code and place go out.
    """
    row = _row(error)
    lines = list(_lines(error))
    rule = error.findings[0].rule if isinstance(error, SchemaViolation) else ""
    code = rule if row.code == _RULE else row.code
    return Fout(
        code=code if 0 < len(code) <= _CODE else "StUF055",
        plek="client" if isinstance(error, Refused) else "server",
        omschrijving=row.omschrijving,
        details=_fit(lines, _DETAILS),
    )


def _row(error: GatewayError) -> _Row:
    if not isinstance(error, Refused):
        return _FAILED
    return next((row for row in _TABLE if error.code.startswith(row.prefix)), _OTHER)


def _lines(error: GatewayError) -> Iterator[str]:
    if not isinstance(error, SchemaViolation):
        yield f"{error.code}: {error.where}" if error.where else error.code
        return
    for finding in error.findings:
        yield f"{finding.code} [{finding.rule}] {finding.path}: {finding.text}"


def _fit(lines: list[str], most: int) -> str:
    """Take whole lines while they fit, and say how many did not; cut only the first one."""
    kept = lines[0][:most]
    for n, line in enumerate(lines[1:], start=1):
        rest = f"\n(en nog {len(lines) - n})"
        if len(kept) + 1 + len(line) + len(rest) > most:
            return (kept + rest) if len(kept) + len(rest) <= most else kept
        kept = f"{kept}\n{line}"
    return kept
