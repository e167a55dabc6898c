"""The store's days. Times are UTC; what people call a day is in STORE_TIMEZONE."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def local_time(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(settings.STORE_TIMEZONE))


def local_date(moment: datetime) -> date:
    return local_time(moment).date()
