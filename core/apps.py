from django.apps import AppConfig
from django.core.checks import register

from core.checks import check_stock_keys


class CoreConfig(AppConfig):
    name = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(check_stock_keys)
