"""RQ jobs. Each does what the sweep does as well, only sooner; it may run twice or never."""

import dataclasses
import logging

from telegram_bot import delivery

logger = logging.getLogger(__name__)


def deliver_outbox() -> None:
    report = delivery.deliver_outbox()
    logger.info("outbox delivered", extra=dataclasses.asdict(report))
