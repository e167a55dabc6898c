from django.apps import AppConfig


class TelegramBotConfig(AppConfig):
    name = "telegram_bot"
    default_auto_field = "django.db.models.BigAutoField"
