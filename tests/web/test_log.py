"""What is written to the log, and what never is."""

import io
import json
import logging
import warnings

import pytest
import structlog

from gateway import log


@pytest.fixture
def lines():
    """Log as JSON into memory; put everything back afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    log.setup(style="json", level="debug", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_line_with_facts(lines):
    structlog.get_logger("gateway.test").info("message.admitted", ms=3, held=True)

    (line,) = lines()
    assert line.pop("tijd").endswith("Z")
    assert line == {
        "event": "message.admitted",
        "logger": "gateway.test",
        "level": "info",
        "ms": 3,
        "held": True,
    }


@pytest.mark.parametrize("name", ["payload", "token", "key", "octets", "Token", "Authorization"])
def test_secrets_and_content_are_dropped_by_their_name(lines, name):
    structlog.get_logger("gateway.test").info("x", **{name: "geheim"}, other="zichtbaar")

    (line,) = lines()
    assert "geheim" not in json.dumps(line)
    assert line["other"] == "zichtbaar"


def test_octets_are_shown_by_their_number_only(lines):
    structlog.get_logger("gateway.test").info("x", part=b"geheim")

    assert lines()[0]["part"] == "<6 octets>"


def test_long_values_are_cut(lines):
    structlog.get_logger("gateway.test").info("x", text="y" * 10_000)

    assert len(lines()[0]["text"]) == log.LONGEST + 1


def test_of_an_exception_only_kind_and_place_are_told(lines):
    try:
        int("999990019x")
    except ValueError:
        structlog.get_logger("gateway.test").exception("x")
        logging.getLogger("aiohttp.server").exception("Error handling request")

    ours, theirs = lines()
    for line in (ours, theirs):
        assert line["error"] == "ValueError"
        assert line["place"].startswith("test_log.py:")
        assert "999990019" not in json.dumps(line)


def test_loggers_of_others_go_the_same_way(lines):
    logging.getLogger("aiohttp.client").warning("iets met %s", "feiten")

    (line,) = lines()
    assert line["event"] == "iets met feiten"
    assert line["logger"] == "aiohttp.client"
    assert line["level"] == "warning"


@pytest.mark.parametrize("name", ["signxml", "signxml.processor", "sqlalchemy.engine", "other"])
def test_debugging_us_is_not_debugging_others(lines, name):
    logging.getLogger(name).debug("plaintext")

    assert lines() == []


def test_there_is_no_second_access_log(lines):
    logging.getLogger("aiohttp.access").info("GET /")

    assert lines() == []


def test_warnings_are_logged(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("verouderd", DeprecationWarning, stacklevel=1)

    assert "verouderd" in lines()[0]["event"]


def test_a_second_setup_replaces_the_first(lines):
    stream = io.StringIO()
    log.setup(style="terminal", level="warning", stream=stream)
    logger = structlog.get_logger("gateway.test")
    logger.info("stil")
    logger.warning("hoorbaar", n=1)

    assert lines() == []
    assert "hoorbaar" in stream.getvalue()
    assert "n=1" in stream.getvalue()
    assert "stil" not in stream.getvalue()


def test_a_warning_says_what_to_do_where_that_is_known(lines):
    logger = structlog.get_logger("gateway.test")
    logger.warning("x.y", code="config.missing")
    logger.error("webhook.disabled")
    logger.error("x.y", code="x.unknown")
    logger.info("x.y", code="config.missing")
    logger.warning("x.y", code="config.missing", hint="own")

    hints = [line.get("hint") for line in lines()]
    assert hints[0] == "Check path and rights."
    assert hints[1]
    assert hints[2:] == [None, None, "own"]
