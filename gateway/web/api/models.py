"""JSON of the REST API. Names are Dutch and lowerCamelCase; moments are UTC with milliseconds.

The OpenAPI document is made from these, with the descriptions as they stand here.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from gateway.errors import Severity
from gateway.pipeline.trying import Check, Oordeel, Outcome
from gateway.ports import Direction, Standing


def rfc3339(at: datetime) -> str:
    """Return the moment in UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_exact(at: datetime) -> str:
    """Return the moment in UTC, whole: for what a client sends back."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Shape(BaseModel):
    """What the API gives. Members may be added to it without a new version."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


# --- refusals -------------------------------------------------------------------------


class Bevinding(Shape):
    """Eén ding dat niet klopt. Nooit met een waarde uit het bericht."""

    code: str = Field(description="Vaste code, met punten.")
    regel: str = Field(description="Regel waaraan niet is voldaan; leeg als er geen nummer is.")
    pad: str = Field(
        description="Waar: pad van het element (`/…`) of naam van de parameter (`?…`)."
    )
    tekst: str = Field(description="Wat er niet klopt.")
    herstel: str = Field(description="Wat eraan te doen is.")
    ernst: Severity = Field(description="`weigering` houdt het bericht tegen.")
    regelnummer: int | None = Field(
        None, description="Regel van het document, vanaf 1, waar het lezen stopte; anders null."
    )
    kolom: int | None = Field(None, description="En de kolom.")


class Probleem(Shape):
    """Een weigering of storing, als problem details (RFC 9457)."""

    status: int = Field(description="HTTP-status.")
    title: str = Field(description="Naam van de status.")
    detail: str = Field(description="Wat er niet klopt; van storingen hier niet meer dan dat.")
    code: str = Field(description="Vaste code, met punten.")
    herhalen: bool = Field(description="Of hetzelfde verzoek later wel kan lukken.")
    bevindingen: list[Bevinding] = Field(description="Alles wat er niet klopt, met plaats.")
    scope: str | None = Field(
        None, description="Bij `token.scope` en `oauth.scope`: welke scope ontbreekt."
    )


# --- OAuth, in its own names ----------------------------------------------------------


class Tokenverzoek(BaseModel):
    """Formulier van RFC 6749 (4.4) en RFC 7523 (2.2); andere velden tellen niet."""

    grant_type: str = Field(description="`client_credentials`.")
    client_assertion_type: str = Field(
        description="`urn:ietf:params:oauth:client-assertion-type:jwt-bearer`."
    )
    client_assertion: str = Field(
        description="JWT met iss, sub, aud, iat, exp (hoogstens 300 seconden later) en jti, "
        "ondertekend met ES256 of PS256."
    )
    client_id: str | None = Field(None, description="Mag; dan dezelfde als `sub` van de JWT.")
    scope: str | None = Field(None, description="Weggelaten: alles wat het systeem mag.")


class Toegangstoken(Shape):
    """Antwoord van RFC 6749 (5.1)."""

    model_config = ConfigDict(alias_generator=None)

    access_token: str = Field(description="Geef het als Bearer-token.")
    token_type: str = Field(description="`Bearer`.")
    expires_in: int = Field(description="Seconden dat het geldig is.")
    scope: str = Field(description="Wat ermee mag.")


class OauthProbleem(Probleem):
    """Een weigering die een client van OAuth ook begrijpt (RFC 6749, 5.2)."""

    model_config = ConfigDict(alias_generator=None)

    error: str | None = Field(None, description="Code van RFC 6749.")
    error_description: str | None = Field(None, description="Hetzelfde als `detail`.")


# --- messages -------------------------------------------------------------------------


class Reden(Shape):
    """Waarom een bericht wordt vastgehouden. Nooit met een waarde uit het bericht."""

    code: str = Field(
        description="Vaste code: regel van de classificatietabel (`OM-001`), of `gate.…`."
    )
    pad: str = Field(description="Pad van het element; leeg als het niet om een element gaat.")
    tekst: str


class Ontvangstbewijs(Shape):
    """Wat er met een aangeleverd bericht is gedaan."""

    id: str = Field(description="Id van het bericht in deze gateway.")
    status: str = Field(description="`aangenomen` of `vastgehouden`.")
    redenen: list[str] = Field(description="Waarom het is vastgehouden.")
    redencodes: list[Reden] = Field(description="Hetzelfde, met code en pad.")
    referentienummer: str
    herhaald: bool = Field(description="Of het eerder is aangeleverd: dit is het bewijs van toen.")
    waarschuwingen: list[Bevinding] = Field(
        description="Wat er niet klopt, maar het bericht niet tegenhoudt."
    )


class Controle(Shape):
    """Eén vraag aan een bericht dat wordt geprobeerd."""

    naam: Check
    uitslag: Outcome = Field(
        description="Bij `overgeslagen` moet eerst iets anders kloppen. Een `waarschuwing` houdt "
        "het bericht niet tegen."
    )
    bevindingen: list[Bevinding]


class Proefoordeel(Shape):
    """Wat er met een bericht zou gebeuren. Er is niets vastgelegd en niets verzonden."""

    oordeel: Oordeel = Field(description="Wat de aanlevering als antwoord zou krijgen.")
    status: int = Field(description="HTTP-status van dat antwoord.")
    code: str = Field(description="Code van de weigering; leeg als het geen weigering is.")
    redenen: list[str] = Field(description="Waarom het zou worden vastgehouden.")
    redencodes: list[Reden] = Field(description="Hetzelfde, met code en pad.")
    soort: str = Field(description="Leeg als niet te zien is welk bericht het is.")
    versie: str
    referentienummer: str
    omvang: int = Field(description="Octetten.")
    ontvanger: str = Field(description="Waar het eerst heen zou gaan; leeg zonder route.")
    kanaal: str
    cpa: str
    uiterlijk: Moment | None = Field(
        description="Wanneer het antwoord er moet zijn, bij aanlevering op dit moment."
    )
    controles: list[Controle] = Field(description="Elke controle, in de volgorde van het oordeel.")


class Bericht(Shape):
    """Wat er van een bericht bekend is; niets van de inhoud."""

    id: str
    ontvangen: Moment = Field(description="Wanneer het hier kwam.")
    richting: str = Field(description="`in`, `uit` of `eigen` (Bv01 en Fo01 van hier).")
    soort: str = Field(description="Naam van het bericht, zoals `vtMeldingDi01`.")
    versie: str = Field(description="Versie van het koppelvlak.")
    zender: str
    zender_applicatie: str
    ontvanger: str
    ontvanger_applicatie: str
    referentienummer: str
    cross_refnummer: str
    deel_van: str = Field(
        description="Referentienummer van het andere deel; leeg als het er geen is."
    )
    vervangt: str = Field(description="Referentienummer waarvoor dit in de plaats kwam, of leeg.")
    zaak: str = Field(description="Kenmerk van de zaak; leeg als het onbekend of vernietigd is.")
    cpa: str = Field(description="CPAId van de overeenkomst; leeg als er geen is.")
    message_id: str = Field(description="MessageId van ebMS.")
    sha256: str = Field(description="Over de octetten van het document, hexadecimaal.")
    aangenomen: bool
    antwoord: str = Field(description="`Bv01Bericht`, `Fo01Bericht` of leeg.")
    link: str
    status: Standing = Field(
        description="Waar het bericht staat, naar de levering die er het slechtst voor staat."
    )


class Levering(Shape):
    """Een levering van een bericht."""

    id: str
    ontvanger: str
    kanaal: str
    soort: str = Field(description="`bericht` of `signaal`.")
    status: str
    toestand: Standing = Field(description="De status in woorden.")
    pogingen: int
    grond: str = Field(description="Waarom het weg mocht.")
    toestemming: str
    volgende_poging: Moment | None
    code: str = Field(description="Van de laatste fout.")
    bezorgd: Moment | None


class Stap(Shape):
    """Eén gebeurtenis uit het auditlog."""

    tijd: Moment
    gebeurtenis: str
    stap: str = Field(description="De gebeurtenis in woorden.")
    levering: str
    code: str
    partij: str
    door: str
    gegevens: dict[str, str | int | bool | None]


class BerichtMetStappen(Bericht):
    """Een bericht met zijn leveringen en alles wat ermee is gebeurd."""

    toelichting: str
    leveringen: list[Levering]
    stappen: list[Stap]
    toets: list["Toetsaantekening"] = Field(
        [], description="Wat het OM besloot; leeg = (nog) niets. Wat de afzender mag weten."
    )


class Berichtenlijst(Shape):
    """Een bladzijde met berichten."""

    berichten: list[Bericht]
    volgende: str | None = Field(description="De volgende bladzijde; null als er nu geen is.")
    cursor: str | None = Field(
        description="Waar deze bladzijde ophield. Bij `na` en `sinds` ook als er niets meer is: "
        "een later verzoek met `na` gaat hier verder en mist niets. Anders null als hij leeg is."
    )


class Berichtsoort(Shape):
    """Een bericht dat met een andere partij kan worden gewisseld."""

    soort: str
    versie: str
    richting: Direction = Field(description="`uit` als deze partij het stuurt, anders `in`.")
    partij: str = Field(description="OIN van de andere partij.")
    naam: str
    rol: str
    applicaties: list[str] = Field(description="Namen voor `ontvanger/applicatie`.")
    via: str = Field(description="OIN van wie het gaat of komt: de partij zelf of een knooppunt.")
    kanaal: str = Field(description="`ebms2`, of `postvak` binnen deze installatie.")
    profiel: str = Field(description="Digikoppeling-profiel, zoals `osb-rm-e`.")
    cpa: str
    geldig_tot: Moment | None = Field(description="Einde van de overeenkomst.")
    antwoord_op: str = Field(description="Bericht waarop dit het antwoord is; anders leeg.")
    beantwoord_met: str = Field(
        description="Bericht dat hierop het antwoord is, naast Bv01 of Fo01; anders leeg."
    )
    vrager: str = Field(
        description="OIN van wie vraagt: de zender van een vraag, de ontvanger van een antwoord. "
        "Leeg als het geen van beide is."
    )


class Berichtsoorten(Shape):
    """Wat er is aangesloten."""

    partij: str = Field(description="OIN van de eigen partij: `zender/organisatie`.")
    applicaties: list[str] = Field(
        description="Namen die dit systeem mag gebruiken voor `zender/applicatie`."
    )
    berichtsoorten: list[Berichtsoort]


# --- the postvak ----------------------------------------------------------------------


class PostvakBericht(Shape):
    """Een bericht dat wacht."""

    id: str = Field(description="Van de levering: hiermee wordt bevestigd of geweigerd.")
    bericht: str = Field(description="Id van het bericht.")
    referentienummer: str
    cross_refnummer: str
    soort: str
    versie: str
    zender: str
    zender_applicatie: str
    applicatie: str = Field(description="Voor welke applicatie het is.")
    ontvangen: Moment
    herhaald: bool = Field(description="Of het eerder is getoond en niet bevestigd.")
    lease_tot: Moment | None = Field(
        description="Tot wanneer het aan niemand anders wordt getoond."
    )
    omvang: int = Field(description="Octetten.")
    sha256: str
    link: str = Field(description="Waar de inhoud staat.")


class Postvak(Shape):
    """Wat er wacht."""

    berichten: list[PostvakBericht]


class Afhandeling(Shape):
    """Wat er met een bericht uit het postvak is gedaan."""

    id: str
    status: str = Field(description="`bevestigd` of `geweigerd`.")
    herhaald: bool = Field(description="Of dit eerder al was gedaan.")


# --- webhooks -------------------------------------------------------------------------


class Webhook(Shape):
    """Een webhook van dit systeem en hoe het ermee gaat; nooit zijn geheim."""

    id: str = Field(description="Zijn naam in de instellingen.")
    url: str
    gebeurtenissen: list[str] = Field(description="`postvak.nieuw`, `bericht.status`.")
    applicaties: list[str]
    status: str = Field(description="`actief`, `faalt` of `uitgeschakeld`.")
    uitgeschakeld_sinds: Moment | None
    reden: str = Field(description="Code: waarom hij is uitgeschakeld.")
    faalt_sinds: Moment | None = Field(description="Sinds wanneer niets meer lukte.")
    volgende_poging: Moment | None = Field(description="Tot dan wordt er niets gestuurd.")
    laatst_gelukt: Moment | None
    laatst_mislukt: Moment | None
    laatste_fout: str = Field(description="Code van de laatste fout.")
    toelichting: str = Field(description="De laatste fout in woorden.")
    wachtend: int = Field(description="Gebeurtenissen die nog gestuurd moeten worden.")
    verzonden: int
    mislukt: int = Field(description="Pogingen die niet lukten.")
    vervallen: int = Field(description="Gebeurtenissen die te oud werden.")


class Webhooklijst(Shape):
    """De webhooks van dit systeem."""

    webhooks: list[Webhook]


class Proef(Shape):
    """Wat er van een proef kwam."""

    id: str
    gelukt: bool
    tijd: Moment
    code: str = Field(description="Leeg als het lukte.")
    toelichting: str


class Inschakeling(Shape):
    """Een webhook die weer aan staat."""

    id: str
    status: str = Field(description="`actief`.")
    herhaald: bool = Field(description="Of hij al aan stond.")


# --- the OM gate ----------------------------------------------------------------------


class Toetsreden(Shape):
    """Waarom een bericht wordt vastgehouden. Nooit met een waarde eruit."""

    regel: str = Field(description="Regel van de classificatietabel.")
    categorie: str = Field(description="Soort gegeven; leeg = geen in het bijzonder.")
    toestemming: str = Field(description="`individueel` of `doorlopend`.")
    pad: str = Field(description="Pad van het element.")
    tekst: str = Field(description="De reden, in woorden.")
    wpg_artikel: str = Field(description="Artikel van de Wpg; leeg = niet gezegd.")


class Toetsverzoek(Shape):
    """Een vraag aan het OM of opsporingsbelang zich tegen verstrekking verzet."""

    id: str = Field(description="Id van het verzoek.")
    politie: str = Field(description="OIN van wie het bericht vasthoudt.")
    soort: str = Field(description="Naam van het bericht.")
    versie: str = Field(description="Versie van het koppelvlak.")
    referentienummer: str = Field(description="Referentienummer van het bericht.")
    ontvanger: str = Field(description="OIN van wie het zou krijgen.")
    sha256: str = Field(description="SHA-256 van de octetten waarop wordt besloten.")
    omvang: int = Field(description="Aantal octetten.")
    tabelversie: str = Field(description="Classificatietabel waarmee is vastgehouden.")
    redenen: list[Toetsreden] = Field(description="Waarom.")
    aanvrager: str = Field(description="Wie het bericht aanleverde.")
    acuut: bool | None = Field(description="Of het acuut is; null = niet gezegd.")
    ontvangen: Moment = Field(description="Wanneer het verzoek hier kwam.")
    termijn: Moment = Field(description="Tot wanneer een besluit van nut is.")
    parket: str = Field(description="Parket; leeg = een voor alle.")
    behandelaar: str = Field(description="Officier die het heeft genomen; leeg = niemand.")
    behandelaar_tot: Moment | None = Field(description="Tot wanneer.")
    uitkomst: str = Field(description="Uitkomst; leeg zolang het openstaat.")
    afgesloten: Moment | None = Field(description="Wanneer het is afgesloten.")
    deel_van: str = Field(
        description="Referentienummer van het bericht waarvan dit het andere deel is, of leeg."
    )
    vervangt: str = Field(description="Referentienummer waarvoor dit in de plaats komt, of leeg.")
    voorgesteld_door: str = Field(
        description="Officier wiens besluit op een tweede officier wacht, of leeg."
    )


class Toetsverzoekenlijst(Shape):
    """Verzoeken aan het OM."""

    verzoeken: list[Toetsverzoek] = Field(description="De verzoeken.")
    cursor: str | None = Field(
        description="Plaats van de laatste, voor `na` (met `alle` voor `voor`); null = er is niets "
        "meer. Wat intussen wordt gevraagd en dringender is staat weer vooraan."
    )


class Toetsvoorwaarde(Shape):
    """Een voorwaarde bij vrijgeven."""

    code: str = Field(description="Code.")
    tekst: str = Field(description="De voorwaarde.")
    aanvaarding: bool = Field(description="Of de ontvanger haar eerst moet aanvaarden.")


class Toetsbesluit(Shape):
    """Een besluit van een officier."""

    id: str = Field(description="Id van het besluit.")
    verzoek: str = Field(description="Id van het verzoek.")
    uitkomst: str = Field(description="De uitkomst.")
    grond: str = Field(description="De grond.")
    te_melden: str = Field(description="Wat de afzender mag weten.")
    voorwaarden: list[Toetsvoorwaarde] = Field(description="De voorwaarden.")
    officier: str = Field(description="Id van de officier.")
    tweede_officier: str = Field(description="Id van de tweede officier; leeg = geen.")
    genomen: Moment = Field(description="Wanneer.")
    geldig_tot: Moment = Field(description="Tot wanneer het geldt.")
    status: str = Field(description="Wat ervan kwam.")
    ingetrokken: Moment | None = Field(description="Wanneer het is ingetrokken.")


class Toetsaantekening(Shape):
    """Wat het OM besloot, voor wie het bericht aanleverde (Aanwijzing Wpg, 15.5.1)."""

    besluit: str = Field(description="Id van het besluit.")
    uitkomst: str = Field(description="De uitkomst.")
    te_melden: str = Field(description="De grond die mag worden gemeld; leeg = geen.")
    bekend: bool = Field(
        description="Of de ontvanger mag weten dat er iets wordt achtergehouden. Zo niet: antwoord "
        "hem zoals wanneer er niets is, of nog niets."
    )
    voorwaarden: list[Toetsvoorwaarde] = Field(description="Voorwaarden aan het gebruik.")
    genomen: Moment = Field(description="Wanneer.")
    geldig_tot: Moment = Field(description="Tot wanneer het geldt.")
    vervallen: Moment | None = Field(description="Wanneer het is vervallen of ingetrokken.")


class Toetszaak(Shape):
    """Een verzoek met alles wat de officier erbij ziet, behalve de inhoud."""

    verzoek: Toetsverzoek = Field(description="Het verzoek.")
    besluiten: list[Toetsbesluit] = Field(description="Wat erop is besloten, het oudste eerst.")
    eerder: list[Toetsverzoek] = Field(description="Andere verzoeken in dezelfde zaak.")
    genoemd: list[Toetsverzoek] = Field(
        description="Verzoeken over de berichten die `deel_van` en `vervangt` noemen."
    )


class Behandeling(Shape):
    """Bij wie een verzoek ligt."""

    id: str = Field(description="Id van het verzoek.")
    officier: str = Field(description="Id van de officier; leeg = niemand.")
    tot: Moment | None = Field(description="Tot wanneer.")


class Intrekking(Shape):
    """Een doorlopende toestemming wordt ingetrokken."""

    toestemming: str = Field(description="Id van de toestemming.")
    politie: str = Field(description="OIN van de politie.")


BerichtMetStappen.model_rebuild()
