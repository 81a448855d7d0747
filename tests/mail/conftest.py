import pytest

from gateway.app import SystemClock, SystemDice
from gateway.config_mail import EmailSettings
from gateway.outbound.mail import MailClient
from tests.mail.lab import DKIM, Lab, alone


@pytest.fixture(scope="session")
def lab():
    if not alone():
        pytest.fail("these tests need a network of their own: make mail-test")
    made = Lab()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def settings() -> EmailSettings:
    return EmailSettings(
        domein="gateway.example",
        afzender="bericht@gateway.example",
        ehlo="mx.gateway.example",
    )


@pytest.fixture
def client(settings) -> MailClient:
    return MailClient(settings, clock=SystemClock(), dice=SystemDice(), dkim=(DKIM,))
