"""What may be wrong with an agreement (CPA): one table of rules, for lint, import and doctor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from gateway.saying import Line, Value


class Weight(StrEnum):
    """What a finding does to an agreement."""

    STOPS = "fout"
    """It can not be carried out, or is forbidden: not to be activated."""
    WEAK = "let op"
    """It works, and is not as Digikoppeling has it or as is wise."""


_STOPS, _WEAK = Weight.STOPS, Weight.WEAK
_ASK = "Vraag om een nieuwe CPA"


class CpaRule(Enum):
    """Id, weight, what is wrong, what to do (both Dutch), and the clause. An id is never reused."""

    # --- the agreement as a whole ---
    UNREADABLE = (
        "CPA-001",
        _STOPS,
        "De CPA is niet te lezen ({code}): {why}",
        "Vraag om een CPA die het schema van CPPA 2.0 volgt.",
        "DK-ebMS2 CPA",
    )
    NOT_AGREED = (
        "CPA-002",
        _STOPS,
        "De CPA heeft status {status} en geldt dus niet.",
        "Laat beide partijen haar vaststellen (status agreed of signed).",
        "DK-BP 3",
    )
    ENDED = (
        "CPA-003",
        _STOPS,
        "De CPA is verlopen op {until}.",
        "Spreek een nieuwe CPA af.",
        "DK-BP 3",
    )
    ENDS_SOON = (
        "CPA-004",
        _WEAK,
        "De CPA eindigt al op {until}.",
        "Spreek nu een nieuwe CPA af en zet haar klaar.",
        "DK-BP 3",
    )
    LONG = (
        "CPA-005",
        _WEAK,
        "De CPA geldt langer dan tien jaar.",
        "Kies een einde dat de certificaten volgt.",
        "DK-BP 3",
    )
    NOTHING_SENT = (
        "CPA-006",
        _STOPS,
        "Geen van beide partijen kan onder deze CPA iets versturen.",
        "Neem de acties bij beide partijen op (CanSend en CanReceive).",
        "DK-ebMS2 CPA",
    )
    MIXED = (
        "CPA-007",
        _WEAK,
        "Profielen door elkaar: {profiles}. Een CPA heeft er een.",
        "Maak een CPA per profiel.",
        "DK-ebMS2 CPA",
    )
    ID = (
        "CPA-008",
        _WEAK,
        "Het CPAId is geen geschikte bestandsnaam.",
        "Stel het samen uit dienst, beide PartyId's en versie, met _ ertussen.",
        "DK-ebMS2 CPAId",
    )
    # --- the parties and what they may send ---
    PARTY_TYPE = (
        "CPA-010",
        _WEAK,
        "Het type van het PartyId is niet urn:osb:oin.",
        "Gebruik het OIN van de eindpartij, met type urn:osb:oin.",
        "DK-ebMS2 PartyId",
    )
    PARTY_ID = (
        "CPA-011",
        _STOPS,
        "Het PartyId is geen OIN van 20 cijfers, met hooguit _O, _T, _A of _OTA erachter.",
        "Gebruik het OIN uit het register (oinregister.logius.nl).",
        "DK-ebMS2 PartyId",
    )
    PREFIX = (
        "CPA-012",
        _WEAK,
        "Het OIN begint niet met een bekend voorvoegsel.",
        "Zoek het OIN op in het register (oinregister.logius.nl).",
        "OIN-stelsel 6",
    )
    ENVIRONMENTS = (
        "CPA-013",
        _WEAK,
        "De partijen zijn van verschillende omgevingen: {suffixes}.",
        "Geef beide PartyId's hetzelfde achtervoegsel, of geen van beide.",
        "DK-BP EB003-EB005",
    )
    ROLES = (
        "CPA-014",
        _WEAK,
        "De partij heeft meer dan een rol in deze CPA.",
        "Maak een CPA per rol.",
        "DK-ebMS2 Role",
    )
    ONE_SIDED = (
        "CPA-015",
        _WEAK,
        "Dit mag verstuurd worden maar de andere partij ontvangt het niet; het telt niet mee.",
        "Neem bij de andere partij CanReceive op, of haal de actie weg.",
        "DK-ebMS2 CPA",
    )
    AMBIGUOUS = (
        "CPA-016",
        _STOPS,
        "De dienst {service} heeft deze actie {count} keer; alleen de eerste telt.",
        "Geef elke dienst een eigen naam: het type onderscheidt niet.",
        "DK-ebMS2 Service",
    )
    WHITE_SPACE = (
        "CPA-017",
        _WEAK,
        "In de naam van dienst of actie staat witruimte.",
        "Gebruik namen zonder witruimte: organisatie:dienst:versie en de naam van het bericht.",
        "DK-ebMS2 Service",
    )
    SERVICE_TYPE = (
        "CPA-018",
        _WEAK,
        "Het type van de dienst is niet urn:osb:services.",
        "Gebruik het type urn:osb:services.",
        "DK-BP 3",
    )
    # --- the channel ---
    HTTPS = (
        "CPA-020",
        _STOPS,
        "Het adres is niet https.",
        "Geef een adres met https.",
        "DK-ebMS2 transport",
    )
    PORT = (
        "CPA-021",
        _WEAK,
        "Het adres heeft poort {port}, niet 443.",
        "Gebruik poort 443.",
        "DK-SEC TLS005",
    )
    HOST = (
        "CPA-022",
        _WEAK,
        "De naam {host} van het adres staat niet in het servercertificaat.",
        "Maak naam en certificaat gelijk, of neem het certificaat van nu op.",
        "DK-BP 3",
    )
    SYNC_ANSWER = (
        "CPA-023",
        _STOPS,
        "syncReplyMode {mode} vraagt het antwoord op dezelfde verbinding; dat wordt niet gegeven.",
        "Gebruik none, of mshSignalsOnly als beide partijen dat kunnen.",
        "DK-ebMS2 SyncReply",
    )
    SYNC_BEST_EFFORT = (
        "CPA-024",
        _WEAK,
        "Best effort met syncReplyMode {mode}.",
        "Gebruik none.",
        "DK-ebMS2 SyncReply",
    )
    BEST_EFFORT_ONCE = (
        "CPA-025",
        _WEAK,
        "Best effort, en toch dubbele berichten herkennen (duplicateElimination).",
        "Gebruik duplicateElimination never, of een osb-rm-profiel.",
        "DK-ebMS2 best effort",
    )
    NOT_ONCE = (
        "CPA-026",
        _WEAK,
        "Betrouwbaar, maar dubbele berichten worden niet herkend (duplicateElimination).",
        "Gebruik duplicateElimination always.",
        "DK-ebMS2 profile 2",
    )
    NO_RETRIES = (
        "CPA-027",
        _WEAK,
        "Betrouwbaar, maar zonder nieuwe pogingen (Retries).",
        "Spreek Retries en RetryInterval af, bijvoorbeeld 8 en PT3H.",
        "DK-BP 3",
    )
    NO_INTERVAL = (
        "CPA-028",
        _WEAK,
        "Nieuwe pogingen zonder tijd ertussen (RetryInterval).",
        "Kies een RetryInterval dat langer is dan een poging van het transport.",
        "DK-ebMS2 retries",
    )
    PERSIST = (
        "CPA-029",
        _WEAK,
        "PersistDuration {kept} is korter dan (1 + Retries) x RetryInterval = {needed}.",
        "Maak PersistDuration ten minste {needed}.",
        "DK-ebMS2 PersistDuration",
    )
    TOO_LATE = (
        "CPA-030",
        _WEAK,
        "De laatste van {retries} pogingen komt na {span}; wat acuut is moet binnen 24 uur.",
        "Kies Retries x RetryInterval van hooguit 24 uur; alarmen wachten hier niet op.",
        "domein 1.6",
    )
    UNSIGNED_ACK = (
        "CPA-031",
        _WEAK,
        "Ondertekend, maar de ontvangstbevestiging niet.",
        "Gebruik ackSignatureRequested always en isNonRepudiationReceiptRequired true.",
        "DK-ebMS2 signed ack",
    )
    NO_ACK_KEY = (
        "CPA-032",
        _STOPS,
        "Deze partij moet ontvangst ondertekend bevestigen, maar de CPA noemt geen certificaat.",
        "Neem SenderNonRepudiation op in het kanaal van de signalen.",
        "DK-ebMS2 signed ack",
    )
    RECEIPT = (
        "CPA-033",
        _WEAK,
        "isNonRepudiationReceiptRequired zegt iets anders dan ackSignatureRequested.",
        "Maak beide gelijk.",
        "DK-ebMS2 signed ack",
    )
    PER_MESSAGE = (
        "CPA-034",
        _WEAK,
        "{name} is per bericht vrijgelaten; hier wordt het niet gebruikt.",
        "Kies always of never.",
        "DK-BP 3",
    )
    DIFFERING = (
        "CPA-035",
        _WEAK,
        "{name} verschilt tussen de partijen; die van de afzender telt.",
        "Maak beide kanalen gelijk.",
        "DK-BP 3",
    )
    SIGNED_IN_VAIN = (
        "CPA-036",
        _WEAK,
        "Ondertekenen is ingericht maar niet gevraagd; het gebeurt niet.",
        "Vraag het (isAuthenticated persistent), of haal SenderNonRepudiation weg.",
        "DK-BP 3",
    )
    ENCRYPTED_IN_VAIN = (
        "CPA-037",
        _WEAK,
        "Versleutelen is ingericht maar niet gevraagd; het gebeurt niet.",
        "Vraag het (isConfidential persistent), of haal ReceiverDigitalEnvelope weg.",
        "DK-BP 3",
    )
    NO_TLS_CERTIFICATE = (
        "CPA-038",
        _WEAK,
        "De CPA noemt geen {name}; TLS is tweezijdig.",
        "Neem ClientCertificateRef en ServerCertificateRef op.",
        "DK-SEC TLS001",
    )
    # --- algorithms ---
    SHA1 = (
        "CPA-040",
        _STOPS,
        "Ondertekenen met SHA-1 wordt geweigerd: {algorithm}.",
        "Gebruik SHA-256 of sterker, in HashFunction en SignatureAlgorithm.",
        "DK-SEC SIGN002",
    )
    SIGNATURE = (
        "CPA-041",
        _STOPS,
        "Het algoritme van ondertekening of hash is niet toegestaan: {algorithm}.",
        "Gebruik rsa-sha256 (of -384, -512) of ecdsa-sha256 (-384), met sha256 (-384, -512).",
        "DK-SEC SIGN003",
    )
    CIPHER = (
        "CPA-042",
        _STOPS,
        "Versleutelen zonder GCM wordt geweigerd: {algorithm}.",
        "Gebruik http://www.w3.org/2009/xmlenc11#aes256-gcm (of aes128-gcm).",
        "DK-SEC ENC002",
    )
    RSA15 = (
        "CPA-043",
        _STOPS,
        "Sleutels inpakken met RSA-1.5 wordt geweigerd.",
        "Gebruik RSA-OAEP.",
        "DK-SEC ENC004",
    )
    EXCEPTED = (
        "CPA-044",
        _WEAK,
        "Hier staat een verboden algoritme; bij uitzondering ({what}) mag dat tot {until}.",
        "Spreek voor die tijd een CPA af zonder dit algoritme.",
        "DK-SEC SIGN002, ENC002, ENC004",
    )
    # --- certificates ---
    OUTLIVES = (
        "CPA-050",
        _WEAK,
        "De CPA geldt langer dan een certificaat erin, dat eindigt op {until}.",
        "Spreek een nieuwe CPA af voor dat certificaat eindigt.",
        "DK-BP 3",
    )
    CERTIFICATE_ENDED = (
        "CPA-051",
        _STOPS,
        "Het certificaat is verlopen op {until}.",
        _ASK + " met een geldig certificaat.",
        "DK-SEC PKI002",
    )
    CERTIFICATE_EARLY = (
        "CPA-052",
        _WEAK,
        "Het certificaat geldt pas vanaf {since}, later dan de CPA.",
        "Laat de CPA niet eerder beginnen dan haar certificaten.",
        "DK-SEC PKI002",
    )
    CERTIFICATE_SOON = (
        "CPA-053",
        _WEAK,
        "Het certificaat verloopt al op {until}.",
        "Vraag de eigenaar om een nieuw certificaat, en om een nieuwe CPA.",
        "DK-SEC PKI002",
    )
    CERTIFICATE_OIN = (
        "CPA-054",
        _STOPS,
        "Het certificaat is van OIN {oin}, niet van de partij.",
        _ASK + " met het certificaat van de partij, of leg het mandaat vast (partijen.mandaten).",
        "DK-BP EB005",
    )
    CERTIFICATE_NO_OIN = (
        "CPA-055",
        _STOPS,
        "Het certificaat heeft geen OIN in subject.serialNumber.",
        _ASK + " met een certificaat van PKIoverheid.",
        "DK-SEC PKI001",
    )
    CERTIFICATE_KEY = (
        "CPA-056",
        _STOPS,
        "De sleutel van het certificaat is te zwak of niet van een bruikbare soort.",
        "Gebruik RSA van ten minste 2048 bits; voor ondertekening ook P-256 of P-384.",
        "DK-SEC PKI002",
    )
    CERTIFICATE_USAGE = (
        "CPA-057",
        _STOPS,
        "Het certificaat is niet uitgegeven voor dit gebruik (keyUsage, extendedKeyUsage).",
        _ASK + " met een certificaat dat ervoor is uitgegeven.",
        "DK-SEC PKI002",
    )
    SELF_SIGNED = (
        "CPA-058",
        _WEAK,
        "Het certificaat is door zichzelf ondertekend; dat mag alleen in een test.",
        _ASK + " met een certificaat van PKIoverheid (private root).",
        "DK-SEC PKI005",
    )
    TLS_ENDED = (
        "CPA-059",
        _WEAK,
        "Het TLS-certificaat in de CPA is verlopen op {until}; er wordt op keten en OIN gekeken.",
        "Neem het certificaat van nu op in de volgende CPA.",
        "DK-SEC PKI002",
    )
    TLS_OIN = (
        "CPA-060",
        _WEAK,
        "Het TLS-certificaat is van OIN {oin}, niet van de partij.",
        "Leg vast dat deze tussenpersoon voor de partij mag werken (partijen.mandaten).",
        "DK-BP EB014",
    )
    TLS_NO_OIN = (
        "CPA-061",
        _WEAK,
        "Het TLS-certificaat heeft geen OIN in subject.serialNumber.",
        "Gebruik een certificaat van PKIoverheid: zonder OIN wordt de verbinding geweigerd.",
        "DK-SEC PKI001",
    )
    CERTIFICATE_FORM = (
        "CPA-062",
        _STOPS,
        "Het certificaat volgt X.509 niet.",
        _ASK + " met een goed certificaat.",
        "RFC 5280",
    )
    # --- the document ---
    TLS_VERSION = (
        "CPA-070",
        _WEAK,
        "De CPA noemt {protocol} {version}; er wordt alleen TLS 1.2 en 1.3 gesproken.",
        "Noem TLS 1.2 of 1.3.",
        "DK-SEC TLS004",
    )
    TRANSPORT = (
        "CPA-071",
        _STOPS,
        "Het transport is {protocol}, niet HTTP.",
        "Gebruik HTTP (over TLS).",
        "DK-ebMS2 transport",
    )
    MULTI_HOP = (
        "CPA-072",
        _STOPS,
        "Betrouwbaarheid per tussenstation (actor nextMSH) wordt niet ondersteund.",
        "Gebruik de actor toPartyMSH.",
        "DK-ebMS2 multi-hop",
    )
    ORDER = (
        "CPA-073",
        _STOPS,
        "Volgorde van berichten (MessageOrderSemantics Guaranteed) wordt niet ondersteund.",
        "Gebruik NotGuaranteed.",
        "DK-ebMS2 MessageOrder",
    )
    EBMS_VERSION = (
        "CPA-074",
        _STOPS,
        "De versie van ebMS is {version}, niet 2.0.",
        "Gebruik ebMS 2.0.",
        "DK-ebMS2 version",
    )
    CHARACTERISTICS = (
        "CPA-075",
        _WEAK,
        "{name} is {value}; in Digikoppeling is het {usual}.",
        "Zet {name} op {usual}.",
        "DK-BP 3",
    )

    def __init__(self, id_: str, weight: Weight, text: str, remedy: str, clause: str) -> None:
        self.id = id_
        self.weight = weight
        self.text = text
        self.remedy = remedy
        self.clause = clause


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding about an agreement: never a key or anything of a message."""

    rule: CpaRule
    where: str
    """Place in the document, or from whom to whom with the actions; empty = the whole."""
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        """Return what is wrong, without the place."""
        return Line(self.rule.text, self.values)

    @property
    def remedy(self) -> Line:
        """Return what to do."""
        return Line(self.rule.remedy, self.values)

    def __str__(self) -> str:
        """Return place and text in Dutch."""
        return f"{self.where}: {self.line}" if self.where else str(self.line)
