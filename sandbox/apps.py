from django.apps import AppConfig
from django.core import checks


class SandboxConfig(AppConfig):
    name = "sandbox"
    label = "sandbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from sandbox.checks import check_sandbox_stands_alone  # noqa: PLC0415 - needs settings

        checks.register(check_sandbox_stands_alone, checks.Tags.security)
