"""What the stand-in remembers. All of it may be deleted by a reset; ids are never used twice."""

from django.db import models
from django.utils import timezone

__all__ = [
    "Bot",
    "CallFault",
    "CallbackQuery",
    "Chat",
    "CommandList",
    "File",
    "InlineQuery",
    "Membership",
    "Message",
    "RecordedCall",
    "Update",
]


class Chat(models.Model):
    """A group, or a person together with the private chat the bot has with them (one id)."""

    class Kind(models.TextChoices):
        PRIVATE = "private"
        GROUP = "group"
        SUPERGROUP = "supergroup"

    id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind)
    title = models.TextField(default="")
    first_name = models.TextField(default="")
    last_name = models.TextField(default="")
    username = models.TextField(default="")
    language_code = models.CharField(max_length=16, default="")
    is_blocked = models.BooleanField(default=False)
    migrated_to = models.BigIntegerField(null=True)
    last_message_id = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Membership(models.Model):
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="memberships")
    user_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "user_id"], name="sandbox_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.chat_id}"


class File(models.Model):
    class Kind(models.TextChoices):
        PHOTO = "photo"
        DOCUMENT = "document"
        STICKER = "sticker"

    file_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.TextField(default="")
    extension = models.CharField(max_length=16)
    mime_type = models.TextField(default="")
    size = models.IntegerField()
    width = models.IntegerField(default=0)
    height = models.IntegerField(default=0)
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """`file_path` of getFile; the primary key in it finds the row again."""
        return f"{self.kind}s/file_{self.pk}.{self.extension}"

    @property
    def unique_id(self) -> str:
        return f"AQAD{self.pk:010d}"


class Message(models.Model):
    """`body` holds the content fields of the API's Message, `reply_markup` what was sent."""

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="messages")
    message_id = models.IntegerField()
    sender_id = models.BigIntegerField()
    sent_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    is_deleted = models.BooleanField(default=False)
    event = models.BigIntegerField()
    body = models.JSONField()
    reply_markup = models.JSONField(null=True)
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True)
    file = models.ForeignKey(File, models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "message_id"], name="sandbox_message_once")
        ]
        indexes = [models.Index(fields=["chat", "event"], name="sandbox_message_event")]

    def __str__(self) -> str:
        return f"{self.message_id} in {self.chat_id}"


class Update(models.Model):
    """Waiting to be fetched or delivered; deleted once the bot has confirmed it."""

    update_id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=32)
    body = models.JSONField()
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.update_id}"


class CallbackQuery(models.Model):
    user_id = models.BigIntegerField()
    data = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    text = models.TextField(null=True)  # noqa: DJ001 - an answer without a text is not an empty text
    show_alert = models.BooleanField(default=False)

    def __str__(self) -> str:
        return str(self.pk)


class InlineQuery(models.Model):
    user_id = models.BigIntegerField()
    query = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    answer = models.JSONField(null=True)

    def __str__(self) -> str:
        return str(self.pk)


class Bot(models.Model):
    """One row: how the bot wants its updates, who polls, and whether limits are on."""

    ROW = 1

    poll_number = models.BigIntegerField(default=0)
    allowed_updates = models.JSONField(default=list)
    limits_on = models.BooleanField(null=True)
    webhook_url = models.TextField(default="")
    webhook_secret = models.TextField(default="")
    webhook_max_connections = models.IntegerField(default=40)
    webhook_failed_at = models.DateTimeField(null=True)
    webhook_failure = models.TextField(default="")

    def __str__(self) -> str:
        return "bot"


class CommandList(models.Model):
    scope = models.TextField()
    language_code = models.CharField(max_length=16, default="")
    commands = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "language_code"], name="sandbox_command_list_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.language_code}"


class RecordedCall(models.Model):
    n = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    method = models.TextField()
    chat_id = models.BigIntegerField(null=True)
    ok = models.BooleanField()
    error_code = models.IntegerField(null=True)
    is_send = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(
                fields=["at", "chat_id"],
                name="sandbox_call_sends",
                condition=models.Q(is_send=True, ok=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.n} {self.method}"


class CallFault(models.Model):
    """An empty method or a null chat matches every call. Null `error_code`: delay only."""

    method = models.TextField(default="")
    chat_id = models.BigIntegerField(null=True)
    error_code = models.IntegerField(null=True)
    description = models.TextField(default="")
    retry_after = models.IntegerField(null=True)
    times = models.IntegerField(default=1)
    used = models.IntegerField(default=0)
    is_after_effect = models.BooleanField(default=False)
    delay_ms = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.method} {self.error_code}"
