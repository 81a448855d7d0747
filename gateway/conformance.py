"""How the requirements of the Digikoppeling profiles are met, row by row, and where that is tested.

DK-ebMS2 (1-34, as in docs/domain.md) and DK-SEC. A test checks that every test named here exists.
"""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a requirement is met."""

    MET = "voldaan"
    AGREED = "per CPA"
    """The program does what the agreement says; `gateway cpa lint` looks at the agreement."""
    LEFT_OUT = "niet"
    """Optional, discouraged or not for this side: left out on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row of the table."""

    id: str
    topic: str
    standing: Standing
    how: str
    """Dutch."""
    tests: tuple[str, ...]
    """`file::function`, below tests/."""


_CPA = "pure/test_cpa.py"
_LINT = "pure/test_cpa_lint.py"
_HEADER = "pure/test_ebms_header.py"
_OPEN = "pure/test_open_seal.py"
_DSIG = "pure/test_dsig.py"
_XENC = "pure/test_xenc.py"
_EXCEPTIONS = "pure/test_algorithm_exceptions.py"
_CERT = "pure/test_certificates.py"
_TLS = "outbound/test_tls.py"
_POST = "outbound/test_ebms_client.py"
_LISTEN = "web/test_ebms_endpoint.py"
_RELIABLE = "flow/test_reliable.py"
_BAD = "flow/test_bad_input.py"
_ASKED = "flow/test_enquiries.py"


def _row(id_: str, topic: str, standing: Standing, how: str, *tests: str) -> Requirement:
    return Requirement(id=id_, topic=topic, standing=standing, how=how, tests=tests)


_MET, _AGREED, _LEFT_OUT = Standing.MET, Standing.AGREED, Standing.LEFT_OUT

REQUIREMENTS: tuple[Requirement, ...] = (
    _row(
        "1",
        "Transport",
        _MET,
        "Alleen HTTPS met POST; een adres zonder https wordt geweigerd, een andere poort dan 443 "
        "gemeld (CPA-020, CPA-021).",
        f"{_POST}::test_only_https_is_spoken",
        f"{_LISTEN}::test_only_post_is_known",
        f"{_LINT}::test_rule_is_found",
    ),
    _row(
        "2",
        "Beveiligingsprofiel",
        _AGREED,
        "osb-be, -rm, -be-s, -rm-s, -be-e en -rm-e; ondertekend of versleuteld precies waar dat is "
        "afgesproken, anders geweigerd.",
        "flow/test_melding.py::test_every_digikoppeling_profile_carries_it",
        f"{_OPEN}::test_unsigned_message_where_signing_was_agreed_is_refused",
        f"{_OPEN}::test_plain_part_where_encryption_was_agreed_is_refused",
    ),
    _row(
        "3",
        "Bevestigen en ontdubbelen",
        _AGREED,
        "AckRequested en DuplicateElimination zoals de CPA; een kopie krijgt de bewaarde "
        "bevestiging en wordt niet nog eens bezorgd. Best effort gaat nooit vanzelf nog eens.",
        f"{_BAD}::test_copy_after_the_acknowledgment_left_brings_the_same_one_again",
        f"{_RELIABLE}::test_without_duplicate_elimination_nothing_goes_twice_by_itself",
        f"{_OPEN}::test_header_other_than_agreed_is_refused",
    ),
    _row(
        "4",
        "Ondertekende bevestiging",
        _AGREED,
        "Met de digests van het ontvangene; een bevestiging telt alleen als zij is ondertekend "
        "zoals afgesproken en de digests kloppen.",
        f"{_OPEN}::test_signed_acknowledgment_names_its_signer_and_what_was_received",
        f"{_BAD}::test_bad_signal_settles_nothing",
        "store/test_store_signals.py::test_other_digests_deliver_nothing",
    ),
    _row(
        "5",
        "SyncReply",
        _AGREED,
        "none of mshSignalsOnly; een CPA met een andere wijze wordt niet in gebruik genomen "
        "(CPA-023).",
        f"{_OPEN}::test_sync_reply_that_was_agreed_must_come",
        f"{_LINT}::test_what_stops_is_not_activated",
    ),
    _row(
        "6",
        "Vorm van de bevestiging",
        _MET,
        "Een eigen bericht; samen met een ander bericht wordt zij geweigerd.",
        f"{_HEADER}::test_a_header_block_that_does_not_fit_is_refused",
    ),
    _row(
        "7",
        "Nieuwe pogingen",
        _AGREED,
        "Retries en RetryInterval van de CPA, dezelfde ondertekende octetten; 8 x 3 uur als de CPA "
        "ze niet noemt.",
        "pure/test_retry.py::test_attempts_end_after_those_of_the_agreement",
        f"{_RELIABLE}::test_partner_that_says_2xx_and_stores_nothing_gets_the_same_signed_octets",
        f"{_CPA}::test_reliable_messaging_without_numbers_has_those_of_digikoppeling",
    ),
    _row(
        "8",
        "PersistDuration",
        _AGREED,
        "Van de CPA, 5 dagen als zij niets zegt; te kort wordt gemeld (CPA-029).",
        f"{_CPA}::test_missing_optional_elements_are_no_trouble",
        f"{_LINT}::test_rule_is_found",
    ),
    _row(
        "9",
        "Bewaren van MessageId's",
        _MET,
        "Ten minste (1 + Retries) x RetryInterval, ook als PersistDuration korter is.",
        "pure/test_retention.py::test_a_message_id_may_come_again_for_as_long_as_the_agreement_retries",
        "flow/test_housekeeping.py::test_a_duplicate_is_still_answered_and_delivered_to_nobody",
    ),
    _row(
        "10",
        "StatusRequest",
        _MET,
        "Niet verplicht; beantwoord aan wie het bericht stuurde, gevraagd door een medewerker of "
        "voor een bericht per e-mail verder gaat. Het antwoord beëindigt geen verzending.",
        f"{_ASKED}::test_the_sender_hears_what_became_of_his_message",
        f"{_ASKED}::test_a_message_of_another_pair_is_not_known_to_who_asks",
        f"{_ASKED}::test_what_the_receiver_says_settles_nothing",
        "flow/test_asking_before_mail.py::test_what_the_partner_has_does_not_go_by_mail",
    ),
    _row(
        "11",
        "Ping en Pong",
        _MET,
        "Niet verplicht; ondertekend waar signalen dat zijn, en dan alleen ondertekend beantwoord; "
        "zelf gevraagd met gateway partners ping.",
        f"{_ASKED}::test_a_partner_that_is_there_answers_a_ping",
        f"{_ASKED}::test_a_ping_that_is_not_as_agreed_is_refused",
        f"{_ASKED}::test_an_answer_that_nobody_asked_for_is_not_answered",
    ),
    _row(
        "12",
        "MessageOrder",
        _LEFT_OUT,
        "Sterk afgeraden; geweigerd met NotSupported, en een CPA die het vraagt wordt niet in "
        "gebruik genomen (CPA-073).",
        f"{_HEADER}::test_what_digikoppeling_leaves_out_is_not_supported",
        f"{_LINT}::test_what_stops_is_not_activated",
    ),
    _row(
        "13",
        "Multi-hop",
        _MET,
        "Nooit; het knooppunt is eindpartij van twee afspraken. nextMSH wordt geweigerd.",
        f"{_HEADER}::test_what_digikoppeling_leaves_out_is_not_supported",
        "pure/test_routing.py::test_hub_never_hands_a_message_to_another_hub",
    ),
    _row(
        "14",
        "PartyId",
        _MET,
        "OIN van de eindpartij met type urn:osb:oin, buiten productie met achtervoegsel.",
        f"{_OPEN}::test_strangers_to_the_agreement_are_refused",
        f"{_LINT}::test_suffix_of_a_test_environment_is_not_part_of_the_oin",
    ),
    _row(
        "15",
        "Rol",
        _MET,
        "Zoals in de CPA; een tweede rol van een partij wordt gemeld (CPA-014).",
        f"{_HEADER}::test_one_defect_is_refused_with_its_place",
        f"{_OPEN}::test_header_other_than_agreed_is_refused",
    ),
    _row(
        "16",
        "CPAId",
        _AGREED,
        "Geen geschikte bestandsnaam wordt gemeld (CPA-008); hier zegt het nooit waar een bestand "
        "komt.",
        f"{_LINT}::test_rule_is_found",
        "pure/test_agreement_import.py::test_the_name_of_the_file_is_made_here_whatever_the_id_says",
    ),
    _row(
        "17",
        "ConversationId",
        _MET,
        "Verplicht; dezelfde op antwoord en bevestiging.",
        "pure/test_stuf.py::test_answer_goes_into_the_conversation_of_its_request",
        f"{_HEADER}::test_one_defect_is_refused_with_its_place",
    ),
    _row(
        "18",
        "MessageId",
        _MET,
        "Wereldwijd uniek, vorm van RFC 5322, uit de stuurgegevens.",
        "pure/test_stuf.py::test_message_id_is_two_dot_atoms",
    ),
    _row(
        "19",
        "Service en Action",
        _AGREED,
        "Zonder witruimte (CPA-017), type urn:osb:services (CPA-018); wat niet is afgesproken "
        "wordt geweigerd.",
        f"{_OPEN}::test_what_was_not_agreed_is_refused",
        f"{_LINT}::test_rule_is_found",
    ),
    _row(
        "20",
        "Manifest",
        _MET,
        "Alleen cid:, elk deel precies een keer; wat ontbreekt of te veel is, wordt geweigerd.",
        f"{_HEADER}::test_one_defect_is_refused_with_its_place",
        f"{_OPEN}::test_missing_part_is_refused",
        f"{_OPEN}::test_part_outside_the_manifest_is_refused",
    ),
    _row(
        "21",
        "Reference",
        _MET,
        "xlink:role hoeft er niet te zijn.",
        f"{_HEADER}::test_a_user_message_is_read",
    ),
    _row(
        "22",
        "eb:Schema",
        _MET,
        "Niet gevraagd; het schema volgt uit de dienst in de CPA, het document wordt er wel aan "
        "getoetst.",
        "pure/test_routing.py::test_version_is_that_of_the_service",
    ),
    _row(
        "23",
        "Canonicalisatie",
        _MET,
        "Exclusief geschreven, inclusief voor een partij die niets anders leest; beide worden "
        "gelezen. Een tweede handtekening wordt geweigerd.",
        f"{_DSIG}::test_what_we_sign_verifies",
        f"{_DSIG}::test_variants_of_the_profile_are_accepted",
        f"{_OPEN}::test_for_a_partner_that_reads_nothing_else_it_is_signed_with_inclusive_c14n",
        f"{_DSIG}::test_what_a_stranger_changes_is_refused",
    ),
    _row(
        "24",
        "Certificaten",
        _MET,
        "OIN in subject.serialNumber, keten tot een eigen anker, intrekking van de hele keten; bij "
        "elk verzoek beoordeeld.",
        f"{_CERT}::test_certificate_without_an_oin_is_refused",
        f"{_CERT}::test_revoked_leaf_is_refused",
        f"{_CERT}::test_what_was_good_is_judged_again_at_every_moment",
    ),
    _row(
        "25",
        "Versie van ebMS",
        _MET,
        "Alleen 2.0; uitbreidingen die niet begrepen hoeven te worden, worden overgeslagen.",
        f"{_HEADER}::test_one_defect_is_refused_with_its_place",
        f"{_HEADER}::test_extensions_that_need_not_be_understood_are_ignored",
    ),
    _row(
        "26",
        "MIME",
        _MET,
        "UTF-8, geschreven zonder Content-Transfer-Encoding; base64 en quoted-printable worden"
        " gelezen.",
        "pure/test_mime.py::test_another_reader_sees_the_same_parts",
        "pure/test_mime.py::test_base64_is_decoded",
        "pure/test_mime.py::test_quoted_printable_is_decoded",
    ),
    _row(
        "27",
        "SOAPAction",
        _MET,
        '"ebXML"; zonder aanhalingstekens mag, een andere wordt geweigerd.',
        f"{_LISTEN}::test_soapaction_may_come_without_quotes",
        f"{_LISTEN}::test_another_soapaction_is_refused",
    ),
    _row(
        "28",
        "HTTP-codes",
        _MET,
        "503 is tijdelijk en beëindigt de pogingen niet; 3xx en 4xx zijn een fout.",
        f"{_LISTEN}::test_503_says_when_to_come_back",
        f"{_RELIABLE}::test_retry_after_is_kept",
        f"{_RELIABLE}::test_a_partner_that_will_never_take_it_ends_it_at_once",
    ),
    _row(
        "29",
        "HTTP-authenticatie",
        _MET,
        "Alleen het clientcertificaat.",
        f"{_LISTEN}::test_without_a_client_certificate_there_is_no_way_in",
    ),
    _row(
        "30",
        "Tijdstempel",
        _MET,
        "eb:Timestamp is verplicht en ligt niet in de toekomst; geen vertrouwde tijdstempels.",
        f"{_HEADER}::test_a_moment_without_zone_or_of_another_form_is_refused",
        f"{_OPEN}::test_message_from_the_future_is_refused_beyond_the_skew",
    ),
    _row(
        "31",
        "CPA",
        _MET,
        "Zonder CPA die van kracht is wordt niets gewisseld; profielen door elkaar worden gemeld "
        "(CPA-007).",
        "pure/test_routing.py::test_recipient_without_agreement_is_no_route",
        f"{_LINT}::test_rule_is_found",
    ),
    _row(
        "32",
        "DeliveryFailure die niet aankomt",
        _MET,
        "De afzender krijgt een Fo01, een mens een alarm.",
        f"{_RELIABLE}::test_when_the_tries_are_spent_the_sender_gets_one_fo01",
    ),
    _row(
        "33",
        "Omvang",
        _MET,
        "Twee grenzen, op de lijn en na ontsleutelen; te groot wordt geweigerd terwijl het komt.",
        f"{_LISTEN}::test_a_body_over_the_limit_is_refused_while_it_arrives",
        f"{_OPEN}::test_payload_over_the_limit_is_refused",
    ),
    _row(
        "34",
        "Ondertekening van de inhoud",
        _MET,
        "De octetten van de inhoud blijven zoals zij kwamen; wat een toepassing erin ondertekende "
        "blijft geldig.",
        f"{_OPEN}::test_any_octets_cross_unchanged",
        "flow/test_melding.py::test_melding_arrives_unchanged_and_is_confirmed_on_both_layers",
    ),
    # --- DK-SEC ---
    _row(
        "PKI001",
        "OIN in het certificaat",
        _MET,
        "Zonder OIN in subject.serialNumber wordt het geweigerd.",
        f"{_CERT}::test_certificate_without_an_oin_is_refused",
    ),
    _row(
        "PKI002-004",
        "Geldig en niet ingetrokken",
        _MET,
        "CRL's van de hele keten; geen verse lijst is geen antwoord: 503, niet goed en niet "
        "ingetrokken.",
        f"{_CERT}::test_bad_leaf_is_refused",
        f"{_CERT}::test_without_a_usable_list_of_its_issuer_nothing_is_known",
        f"{_OPEN}::test_without_revocation_list_nothing_is_known",
    ),
    _row(
        "PKI005",
        "Stamcertificaat",
        _AGREED,
        "Alleen de ankers in trust/: de PKIoverheid private root zet de beheerder daar neer.",
        f"{_CERT}::test_without_anchors_nobody_is_trusted",
        f"{_TLS}::test_no_anchors_let_nobody_in_rather_than_everybody",
    ),
    _row(
        "TLS001-003",
        "Tweezijdig TLS",
        _MET,
        "Wie geen certificaat toont of een van een onbekende uitgever, komt niet binnen.",
        f"{_TLS}::test_a_client_without_certificate_is_refused",
        f"{_TLS}::test_a_client_of_an_unknown_issuer_is_refused",
    ),
    _row(
        "TLS004",
        "Versies van TLS",
        _MET,
        "1.2 en 1.3, beide kanten op.",
        f"{_TLS}::test_tls_1_1_is_refused",
        f"{_TLS}::test_a_client_does_not_speak_tls_1_1_either",
    ),
    _row(
        "TLS005",
        "Poort 443",
        _AGREED,
        "Een andere poort in de CPA wordt gemeld (CPA-021).",
        f"{_LINT}::test_rule_is_found",
    ),
    _row(
        "TLS006",
        "Algoritmen van TLS",
        _MET,
        "ECDHE met AES-GCM of ChaCha20-Poly1305; sessies worden niet hervat.",
        f"{_TLS}::test_ciphers_without_aead_or_elliptic_exchange_are_refused",
        f"{_TLS}::test_a_session_is_not_resumed",
    ),
    _row(
        "SIGN001-004",
        "Ondertekenen",
        _MET,
        "XMLDSIG met RSA of ECDSA (P-256, P-384) en SHA-256, -384 of -512; SHA-1 wordt geweigerd, "
        "behalve van een partner met een uitzondering, zolang die duurt.",
        f"{_DSIG}::test_elliptic_curves_sign_and_verify",
        f"{_DSIG}::test_what_a_partner_signs_outside_the_profile_is_refused",
        f"{_DSIG}::test_forbidden_algorithm_is_not_used_even_when_agreed",
        f"{_EXCEPTIONS}::test_without_it_with_another_or_after_its_end_it_is_refused_by_its_code",
        f"{_EXCEPTIONS}::test_sha1_never_leaves",
    ),
    _row(
        "ENC001-004",
        "Versleutelen",
        _MET,
        "AES-128 of -256 met GCM, sleutels met RSA-OAEP in beide spellingen; CBC, 3DES en RSA-1.5 "
        "worden geweigerd, behalve bij een partner met een uitzondering, zolang die duurt.",
        f"{_XENC}::test_both_spellings_of_oaep_are_read",
        f"{_XENC}::test_other_forms_and_algorithms_are_refused",
        f"{_XENC}::test_forbidden_cipher_is_not_used_even_when_agreed",
        f"{_XENC}::test_whichever_step_fails_answer_and_work_are_the_same",
        f"{_EXCEPTIONS}::test_without_it_with_another_or_after_its_end_it_is_refused_by_its_code",
        f"{_EXCEPTIONS}::test_whichever_step_fails_answer_and_work_are_the_same",
        f"{_EXCEPTIONS}::test_3des_never_leaves",
    ),
)
