from typing import Any

import pytest

from tests.sandbox.bot_api import BotApi


@pytest.fixture
def telegram(db: Any) -> BotApi:
    return BotApi()


@pytest.fixture
def committed_telegram(transactional_db: Any) -> BotApi:
    """For what other threads and connections must see."""
    return BotApi()
