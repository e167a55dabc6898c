from typing import Any

import pytest

from tests.properties.runs import open_shop
from tests.properties.shop import Shop


@pytest.fixture
def shop(db: Any, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Shop:
    return open_shop(monkeypatch, settings)
