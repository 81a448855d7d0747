"""The pages of who keeps messages moving."""

from gateway.web.console.pages.operator import (
    alarms,
    handling,
    mailing,
    messages,
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
    *alarms.PAGES,
)
