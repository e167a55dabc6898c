"""What the log may say, and what it must not."""

import logging
import logging.config
from collections.abc import Iterator
from io import StringIO

import pytest

from quickcart.log_config import logging_config


@pytest.fixture(params=["console", "json"])
def output(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """A logger of its own, formatted as the shop's are."""
    config = logging_config(level="INFO", style=request.param)
    stream = StringIO()
    config["handlers"]["stderr"]["stream"] = stream
    logger = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    config.pop("root")
    config["loggers"] = {"test.shop": logger}
    logging.config.dictConfig(config | {"disable_existing_loggers": False})
    yield stream
    logging.getLogger("test.shop").handlers.clear()


def test_a_line_carries_its_context(output: StringIO) -> None:
    logging.getLogger("test.shop").info("order paid", extra={"order": 7})
    assert "order paid" in output.getvalue()
    assert "7" in output.getvalue()


def test_values_of_secret_names_are_hidden(output: StringIO) -> None:
    logging.getLogger("test.shop").info("asked", extra={"api_key": "very-secret"})
    assert "very-secret" not in output.getvalue()


def test_a_traceback_shows_no_local_variables(output: StringIO) -> None:
    def fail() -> None:
        password = "".join(["very", "-", "secret"])
        raise ValueError(len(password))

    try:
        fail()
    except ValueError:
        logging.getLogger("test.shop").exception("failed")
    assert "ValueError" in output.getvalue()
    assert "very-secret" not in output.getvalue()


def test_a_health_check_that_fails_is_no_news(output: StringIO) -> None:
    logging.getLogger("test.shop").error("Service Unavailable: %s", "/health/ready/")
    assert output.getvalue() == ""
