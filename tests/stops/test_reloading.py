"""SIGHUP: what came of it stands in the log, with what to do."""

import signal

from tests.stops.conftest import settings
from tests.stops.running import eventually


async def test_what_is_wrong_is_named_and_what_waits_for_a_restart_too(sites, starter):
    site = sites.by_place["politie"]
    process = await starter.start(site)
    good = site.config.read_text(encoding="utf-8")

    settings(site, limits="onbekend = 1")
    process.signal(signal.SIGHUP)
    await eventually(lambda: process.said("directory.not_reloaded"), "a refusal")
    (told,) = process.said("directory.not_reloaded")
    assert told["code"] == "config.invalid"
    assert told["text"].startswith("limits.onbekend: ")
    assert told["hint"] == ("The place is named; docs/configuration.md describes every setting.")

    site.config.write_text(good, encoding="utf-8")
    settings(site, limits="backend_per_minute = 5\npayload_bytes = 1000000", log="niveau = 'ERROR'")
    process.signal(signal.SIGHUP)
    await eventually(lambda: process.said("settings.at_start"), "a warning")
    (told,) = process.said("settings.at_start")
    assert told["settings"] == ["log", "limits.backend_per_minute"]
    assert process.said("directory.reloaded")[-1]["changed"]
