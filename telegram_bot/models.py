"""What the bot remembers besides the shop itself."""

from typing import ClassVar

from django.db import models


class ProcessedUpdate(models.Model):
    """A Telegram update: leased while it is handled, done afterwards, never handled twice."""

    bot_id = models.BigIntegerField()
    update_id = models.BigIntegerField()
    leased_until = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bot_id", "update_id"], name="processed_update_once"),
        ]

    def __str__(self) -> str:
        return f"{self.bot_id}:{self.update_id}"
