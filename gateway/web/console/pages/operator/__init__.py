"""The pages of who keeps messages moving."""

from gateway.web.console.pages.operator import (
    alarms,
    handling,
    mailing,
    messages,
    quarantine,
    refused,
    sending,
    today,
)

PAGES = (
    *today.PAGES,
    *sending.PAGES,
    *messages.PAGES,
    *refused.PAGES,
    *handling.PAGES,
    *mailing.PAGES,
    *quarantine.PAGES,
    *alarms.PAGES,
)
