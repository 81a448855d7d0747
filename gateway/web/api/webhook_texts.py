"""What came of a call to a webhook, in Dutch, for whoever must mend it."""

from collections.abc import Mapping
from types import MappingProxyType

_HTTP = "webhook.http."

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "": "De ontvanger nam het aan.",
        "tls.anchors": "Het bestand met CA's (webhooks.ca) is niet te lezen.",
        "tls.certificate": "Ons clientcertificaat of zijn sleutel is niet bruikbaar.",
        "webhook.address": "De host wijst naar een adres dat nooit, of niet op naam alleen, wordt "
        "aangeroepen. Zet een eigen netwerk in webhooks.toegestaan.",
        "webhook.certificate": "Het certificaat van de ontvanger is niet vertrouwd of niet van "
        "deze host. Zie webhooks.ca.",
        "webhook.dns": "De host is niet op te zoeken.",
        "webhook.failing": "De ontvanger faalde te lang.",
        "webhook.gone": "De ontvanger zei 410: hij wil niet meer worden geroepen.",
        "webhook.host": "De host is geen naam en geen gewoon IP-adres.",
        "webhook.lost": "De verbinding brak af voordat er een antwoord was.",
        "webhook.not_allowed": "Deze host of dit adres staat niet in webhooks.toegestaan.",
        "webhook.scheme": "Alleen https is mogelijk.",
        "webhook.timeout": "De ontvanger antwoordde niet op tijd. Antwoord eerst, verwerk daarna.",
        "webhook.tls": "Er kwam geen TLS-verbinding tot stand.",
        "webhook.unreachable": "Er kwam geen verbinding tot stand.",
        "webhook.url": "De URL is niet te lezen.",
        "webhook.userinfo": "In de URL mag geen gebruiker of wachtwoord.",
    }
)


def text(code: str) -> str:
    """Return the text of a code; empty for no failure means that it was taken."""
    if code.startswith(_HTTP):
        return f"De ontvanger antwoordde met HTTP {code.removeprefix(_HTTP)}."
    return TEXTS.get(code, "Dit ging mis aan onze kant.")
