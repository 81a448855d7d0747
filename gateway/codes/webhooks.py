"""Codes of webhooks: what stands in the settings, and what comes of a call."""

from gateway.codes.code import Code, Told, family
from gateway.errors import Misconfigured, NoRoute, PeerUnreachable, PolicyViolation, Unavailable

_SETTINGS = "Mend `url` in gateway.toml."
_SEEN = (Told.OPERATOR, Told.API)

WEBHOOKS: tuple[Code, ...] = (
    *family(
        Misconfigured,
        (Told.START,),
        {
            "webhook.allowed": (
                "A line of `webhooks.toegestaan` is no address, network or host, or too wide.",
                "Write `host:port`, `address:port` or a network such as 10.1.2.0/24.",
            ),
            "webhook.secret": (
                "A file with a secret is missing, readable by others, or holds no `whsec_…`.",
                "Make it with 24 to 64 random octets in base64, mode 0600.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _SEEN,
        {
            "webhook.address": (
                "The host has an address that is never called, or not by name alone.",
                "Put the network of the receiver in `webhooks.toegestaan`.",
            ),
            "webhook.enabled": ("The webhook is on already.", "Nothing."),
            "webhook.host": ("The host is no name and no plain IP address.", _SETTINGS),
            "webhook.not_allowed": (
                "Host, port or address is not in `webhooks.toegestaan`.",
                "Add it, when it is meant to be called.",
            ),
            "webhook.scheme": ("The URL is not https.", _SETTINGS),
            "webhook.url": ("The URL can not be read.", _SETTINGS),
            "webhook.userinfo": ("The URL has a user or a password.", "Leave it out."),
        },
    ),
    *family(
        NoRoute,
        _SEEN,
        {"webhook.onbekend": ("There is no such webhook of this system.", "Check its name.")},
    ),
    *family(
        Unavailable,
        _SEEN,
        {"webhook.busy": ("A trial of this webhook is under way.", "Wait for its outcome.")},
    ),
    *family(
        PeerUnreachable,
        _SEEN,
        {
            "webhook.certificate": (
                "The certificate of the receiver is not trusted, or not of this host.",
                "Check it, and `webhooks.ca`.",
            ),
            "webhook.dns": ("The host can not be looked up.", "Check name and resolver."),
            "webhook.http.*": (
                "The receiver answered with this HTTP status instead of 2xx.",
                "Look at the receiver.",
            ),
            "webhook.lost": ("The connection broke before the answer.", "Look at the receiver."),
            "webhook.timeout": (
                "The receiver did not answer in time.",
                "Answer first, do the work afterwards.",
            ),
            "webhook.tls": ("No TLS connection came about.", "Check versions and certificates."),
            "webhook.unreachable": ("No connection came about.", "Check host, port, firewall."),
        },
    ),
    *family(
        None,
        _SEEN,
        {
            "webhook.disabled": (
                "Alarm: a webhook was switched off, because it failed too long or said 410.",
                "Mend the receiver, then `gateway webhooks enable`.",
            ),
            "webhook.failing": (
                "Why a webhook was switched off: it failed too long.",
                "As for `webhook.disabled`.",
            ),
            "webhook.gone": (
                "Why a webhook was switched off: the receiver answered 410.",
                "Ask the receiver whether it is still to be called.",
            ),
        },
    ),
)
