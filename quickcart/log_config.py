"""Logging through structlog: one readable line per event, or JSON for a log collector."""

import logging
from typing import Any

import structlog
from structlog.typing import Processor

# Whatever is logged under these names is a secret of the store or of a customer.
SECRET_NAMES = frozenset(
    {"api_key", "token", "secret", "password", "content", "x-api-key", "x-secret", "qr_string"}
)


def hide_secrets(_logger: Any, _method: str, event: structlog.typing.EventDict) -> Any:
    """Replace the values of secret names, so that a careless log call leaks nothing."""
    for name in SECRET_NAMES & event.keys():
        event[name] = "***"
    return event


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Drop what monitors cause while the shop starts: the answer itself says what is missing."""
    return "/health/ready/" not in record.getMessage()


def logging_config(*, level: str, style: str) -> dict[str, object]:
    """Return a dictConfig that formats standard logging through structlog."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        hide_secrets,
    ]
    if style == "json":  # on a console the supervisor says the time
        shared.append(structlog.processors.TimeStamper(fmt="iso"))
    renderer: list[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=False,
                pad_event_to=0,
                # The default, rich, prints local variables: passwords, keys and goods among them.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
        if style == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderer,
                ],
            }
        },
        "filters": {
            "worth": {"()": "django.utils.log.CallbackFilter", "callback": is_worth_a_line}
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "structured",
                "filters": ["worth"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},  # Django's own would say it twice
            # They would print the bot token, which is part of Telegram's URLs.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "telegram": {"level": "WARNING"},
            "apscheduler": {"level": "WARNING"},
            "rq.worker": {"level": "WARNING"},
        },
    }
