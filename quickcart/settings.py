"""The one settings file. Everything comes from the environment; `.env.example` explains it.

With no `.env` at all the store runs against its own stand-ins (SANDBOX), on embedded servers.
"""

import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environ

from quickcart import embedded
from quickcart.environment import Environment
from quickcart.log_config import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"
TESTING = "pytest" in sys.modules

# Tests read no developer's own settings: they name another file.
env = Environment(Path(os.environ.get("QUICKCART_ENV_FILE", BASE_DIR / ".env")))

# --- Where it runs -----------------------------------------------------------------------------

SANDBOX_BOT_TOKEN = "900000000:SANDBOX-demo-token-not-a-secret"  # noqa: S105 (public by design)
TELEGRAM_BOT_TOKEN = env.text("TELEGRAM_BOT_TOKEN")
SANDBOX = env.flag("SANDBOX", default=TELEGRAM_BOT_TOKEN in {"", SANDBOX_BOT_TOKEN})
DEBUG = env.flag("DEBUG", default=SANDBOX)
PORT = env.whole("PORT", 8000, least=1, most=65535)
PUBLIC_URL = env.url("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
QUICKCART_DATA_DIR = BASE_DIR / env.text("QUICKCART_DATA_DIR", ".data")
ADMIN_PATH = env.text("ADMIN_PATH", "admin").strip("/")

DEMO_SECRET_KEY = "demo-secret-key-for-the-sandbox-only-never-in-production"  # noqa: S105
SECRET_KEY = env.text("SECRET_KEY", DEMO_SECRET_KEY)
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS", ["*"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS", [] if DEBUG else [PUBLIC_URL])

# --- The store ---------------------------------------------------------------------------------

STORE_NAME = env.text("STORE_NAME", "QuickCart")
BOT_NAME = env.text("BOT_NAME", f"{STORE_NAME} Bot")
BOT_USERNAME = env.text("BOT_USERNAME", "quickcart_demo_bot" if SANDBOX else "").lstrip("@")
SUPPORT_CONTACT = env.text("SUPPORT_CONTACT", f"@{BOT_USERNAME}" if BOT_USERNAME else "")
DOCUMENTATION_URL = env.url("DOCUMENTATION_URL", "")
# The stand-in always knows this one.
SANDBOX_STICKER = "CAACAgUAAxkBAAESandboxWelcomeSticker"
TELEGRAM_WELCOME_STICKER = env.text("TELEGRAM_WELCOME_STICKER", SANDBOX_STICKER if SANDBOX else "")
STORE_TIMEZONE = env.time_zone("STORE_TIMEZONE", "Asia/Jakarta")
STORE_LANGUAGE = env.choice("STORE_LANGUAGE", "id", ("id", "en"))

# --- Telegram ----------------------------------------------------------------------------------

if SANDBOX:
    TELEGRAM_BOT_TOKEN = TELEGRAM_BOT_TOKEN or SANDBOX_BOT_TOKEN
_telegram = f"{PUBLIC_URL}/sandbox/telegram" if SANDBOX else "https://api.telegram.org"
TELEGRAM_API_BASE_URL = env.url("TELEGRAM_API_BASE_URL", f"{_telegram}/bot")
TELEGRAM_FILE_BASE_URL = env.url("TELEGRAM_FILE_BASE_URL", f"{_telegram}/file/bot")
TELEGRAM_MODE = env.choice("TELEGRAM_MODE", "polling", ("polling", "webhook"))
TELEGRAM_WEBHOOK_SECRET = env.text("TELEGRAM_WEBHOOK_SECRET")
TELEGRAM_WEBHOOK_HOST = env.text("TELEGRAM_WEBHOOK_HOST", "127.0.0.1")
TELEGRAM_WEBHOOK_PORT = env.whole("TELEGRAM_WEBHOOK_PORT", 8443, least=1, most=65535)
# Telegram comes through the proxy in front of this site; the stand-in comes directly.
_webhook_host = (
    f"http://{TELEGRAM_WEBHOOK_HOST}:{TELEGRAM_WEBHOOK_PORT}" if SANDBOX else PUBLIC_URL
)
TELEGRAM_WEBHOOK_URL = env.url("TELEGRAM_WEBHOOK_URL", f"{_webhook_host}/telegram/webhook")
ADMIN_USER_IDS = env.whole_numbers("ADMIN_USER_IDS")
# What the outbox sends keeps to Telegram's limits. Tests that are about it switch it on.
TELEGRAM_PACE = not TESTING

# --- Payment gateway ---------------------------------------------------------------------------

SANDBOX_PAKASIR_PROJECT = "quickcart-demo"
SANDBOX_PAKASIR_API_KEY = "sandbox-api-key"
SANDBOX_PAKASIR_WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105 (public by design)
_pakasir = f"{PUBLIC_URL}/sandbox/pakasir" if SANDBOX else "https://app.pakasir.com"
PAYMENT_GATEWAY = env.choice("PAYMENT_GATEWAY", "pakasir", ("pakasir",))
PAKASIR_BASE_URL = env.url("PAKASIR_BASE_URL", f"{_pakasir}/api/v2")
PAKASIR_CHECKOUT_URL = env.url("PAKASIR_CHECKOUT_URL", f"{_pakasir}/pay-v2")
PAKASIR_PROJECT = env.text("PAKASIR_PROJECT", SANDBOX_PAKASIR_PROJECT if SANDBOX else "")
PAKASIR_API_KEY = env.text("PAKASIR_API_KEY", SANDBOX_PAKASIR_API_KEY if SANDBOX else "")
PAKASIR_WEBHOOK_SECRET = env.text(
    "PAKASIR_WEBHOOK_SECRET", SANDBOX_PAKASIR_WEBHOOK_SECRET if SANDBOX else ""
)
PAKASIR_SANDBOX = env.flag("PAKASIR_SANDBOX", default=False)
# Of create and of cancel, over all processes; 0: no limit. Tests of the limit switch it on.
PAKASIR_CALLS_PER_SECOND = env.whole("PAKASIR_CALLS_PER_SECOND", 0 if TESTING else 2, most=100)
# How many of the sweep's questions are with the gateway at a time.
SWEEP_THREADS = env.whole("SWEEP_THREADS", 1 if TESTING else 8, least=1, most=32)

if SANDBOX:
    # What the stand-ins know. They read nothing else of the shop.
    SANDBOX_BOT_USERNAME = BOT_USERNAME
    SANDBOX_BOT_NAME = BOT_NAME
    SANDBOX_PAKASIR_WEBHOOK_URL = f"{PUBLIC_URL}/webhooks/pakasir/"
    SANDBOX_LIMITS = env.flag("SANDBOX_LIMITS", default=False)
    SANDBOX_PAKASIR_LIMITS = env.flag("SANDBOX_PAKASIR_LIMITS", default=True)
    SANDBOX_PERSONAS: list[dict[str, Any]] = [
        {
            "id": 800_000_001,
            "first_name": "Budi",
            "last_name": "Santoso",
            "username": "budi_santoso",
            "language_code": "id",
            "role": "customer",
        },
        {
            "id": 800_000_002,
            "first_name": "Rina",
            "last_name": "Wijaya",
            "username": "rina_wijaya",
            "language_code": "id",
            "role": "reseller",
        },
        {
            "id": 800_000_003,
            "first_name": "Andi",
            "last_name": "Pratama",
            "username": "andi_pratama",
            "language_code": "id",
            "role": "admin",
        },
    ]
    SANDBOX_STAFF_CHAT: dict[str, Any] = {"id": -800_000_001, "title": "QuickCart Staff"}
    # Public by design: it opens the demo store only.
    SANDBOX_STAFF_LOGIN = {"username": "owner", "password": "quickcart-demo"}

# --- Keys of the goods -------------------------------------------------------------------------

DEMO_STOCK_KEY = "ZGVtby1zdG9jay1rZXktbmV2ZXItaW4tcHJvZHVjdCE="
DEMO_FINGERPRINT_KEY = "demo-fingerprint-key-never-in-production"
STOCK_KEYS = env.fernet_keys("STOCK_KEYS", [DEMO_STOCK_KEY] if DEBUG else [])
STOCK_FINGERPRINT_KEY = env.text("STOCK_FINGERPRINT_KEY", DEMO_FINGERPRINT_KEY if DEBUG else "")

# --- Key of the audit trail --------------------------------------------------------------------

DEMO_AUDIT_KEY = "demo-audit-key-for-the-sandbox-never-in-production"
AUDIT_KEY = env.text("AUDIT_KEY", DEMO_AUDIT_KEY if DEBUG else "")

# --- Databases, Redis, jobs --------------------------------------------------------------------

_embedded = embedded.urls(QUICKCART_DATA_DIR)
DATABASE_URL = env.url(
    "DATABASE_URL", _embedded.database, schemes=("postgres", "postgresql", "psql")
)
_audit_default = _embedded.audit_database if not env.text("DATABASE_URL") else ""
AUDIT_DATABASE_URL = env.url(
    "AUDIT_DATABASE_URL", _audit_default, schemes=("postgres", "postgresql", "psql")
)
REDIS_URL = env.url("REDIS_URL", _embedded.redis, schemes=("redis", "rediss", "unix"))


# A database server that falls silent in the middle of a connection (TCP only) is given up on.
CUT_OFF = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # milliseconds
}


def _database(url: str) -> dict[str, object]:
    parts = environ.Env.db_url_config(url or _embedded.database)
    return {
        **parts,
        # A socket's folder stands percent-encoded in a URL's host.
        "HOST": unquote(parts["HOST"]),
        # Said even where it is the usual one, or PGPORT of the environment would win.
        "PORT": parts["PORT"] or 5432,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "quickcart", **CUT_OFF},
    }


DATABASES = {"default": _database(DATABASE_URL), "audit": _database(AUDIT_DATABASE_URL)}
DATABASE_ROUTERS = ["audit.routers.AuditRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}
# Counts shown to people may be this old; no decision uses them.
COUNTS_CACHE_SECONDS = 0 if TESTING else 5
# Jobs are wake-up calls: the database says what work there is, so their results are not kept.
RQ_QUEUES = {
    name: {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": 120,
        "DEFAULT_RESULT_TTL": 0,
    }
    for name in ("high", "default", "low")
}
RQ = {"WORKER_CLASS": "core.worker.ShopWorker"}
RQ_SHOW_ADMIN_LINK = False
# What an app below may wake in an app above, by name (see core.jobs).
JOBS = {
    "deliver_outbox": ("high", "telegram_bot.jobs.deliver_outbox"),
    # Behind the messages: it may wait for its turn at the gateway, and many may pay at once.
    "open_payment": ("default", "payments.jobs.open_payment"),
    "handle_gateway_event": ("high", "payments.jobs.handle_gateway_event"),
    "close_payment": ("default", "payments.jobs.close_payment"),
    "expire_payment": ("default", "payments.jobs.expire_payment"),
}

# --- Django ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_rq",
    "core",
    "audit",
    "accounts",
    "catalog",
    "orders",
    "payments",
    "telegram_bot",
    "backoffice",
    "operations",
    *(["sandbox"] if SANDBOX else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "backoffice.middleware.BackofficeLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "quickcart.urls"
WSGI_APPLICATION = "quickcart.wsgi.application"
ASGI_APPLICATION = "quickcart.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*map(Path, env.texts("TEMPLATE_DIRS")), BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
REST_FRAMEWORK: dict[str, object] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}

UNFOLD: dict[str, object] = {
    "SITE_TITLE": "backoffice.navigation.store_name",
    "SITE_HEADER": "backoffice.navigation.store_name",
    "SITE_SUBHEADER": "Back office",
    "SITE_URL": "backoffice.navigation.shop_url",
    "SITE_ICON": "backoffice.navigation.logo",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "backoffice.navigation.logo"}
    ],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "backoffice.navigation.environment",
    "GLOBAL_CALLBACK": "backoffice.navigation.extra_context",
    "DASHBOARD_CALLBACK": "backoffice.dashboard.dashboard",
    "STYLES": ["backoffice.navigation.stylesheet"],
    "SCRIPTS": ["backoffice.navigation.script"],
    "COLORS": {
        "primary": {  # indigo
            "50": "#eef2ff",
            "100": "#e0e7ff",
            "200": "#c7d2fe",
            "300": "#a5b4fc",
            "400": "#818cf8",
            "500": "#6366f1",
            "600": "#4f46e5",
            "700": "#4338ca",
            "800": "#3730a3",
            "900": "#312e81",
            "950": "#1e1b4b",
        },
    },
    "SIDEBAR": {"navigation": "backoffice.navigation.sidebar"},
}
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en"
LANGUAGES = [("id", "Bahasa Indonesia"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = STORE_TIMEZONE

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
_is_behind_proxy = env.flag("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_behind_proxy else None
SECURE_HSTS_SECONDS = 31_536_000 if SESSION_COOKIE_SECURE and not DEBUG else 0
# Only behind a proxy can a plain request be told from one that came by TLS.
SECURE_SSL_REDIRECT = _is_behind_proxy and SECURE_HSTS_SECONDS > 0
# Whoever watches this process asks it directly.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
# HSTS for other hosts of the same domain is not the shop's to promise.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Uploads of stock and the webhook's body have limits of their own, below this one.
DATA_UPLOAD_MAX_MEMORY_SIZE = 60 * 1024 * 1024
# Goods are encrypted at rest: an upload must not wait in a temporary file.
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice("LOG_FORMAT", "console", ("console", "json"))
LOGGING_CONFIG = None if TESTING else "logging.config.dictConfig"
LOGGING = logging_config(level=LOG_LEVEL, style=LOG_FORMAT)

# --- Rules that hold between settings ----------------------------------------------------------

if SANDBOX:
    env.require(
        TELEGRAM_BOT_TOKEN == SANDBOX_BOT_TOKEN,
        "SANDBOX cannot be on beside a real TELEGRAM_BOT_TOKEN: remove one of the two.",
    )
    env.require(DEBUG, "SANDBOX cannot be on with DEBUG off: it would give goods away.")
else:
    env.require(
        TELEGRAM_BOT_TOKEN,
        "TELEGRAM_BOT_TOKEN is missing: get one from @BotFather, or leave SANDBOX on.",
    )
    env.require(
        not TELEGRAM_BOT_TOKEN or re.fullmatch(r"\d+:[\w-]+", TELEGRAM_BOT_TOKEN),
        "TELEGRAM_BOT_TOKEN must look like 123456:ABC-def, as @BotFather gave it.",
    )
    env.require(PAKASIR_PROJECT, "PAKASIR_PROJECT is missing: the slug of your Pakasir project.")
    env.require(PAKASIR_API_KEY, "PAKASIR_API_KEY is missing: copy it from your Pakasir project.")
    env.require(
        PAKASIR_WEBHOOK_SECRET,
        "PAKASIR_WEBHOOK_SECRET is missing: copy it from your Pakasir project.",
    )
    env.require(BOT_USERNAME, "BOT_USERNAME is missing: the bot's name without the @.")
if not DEBUG:
    env.require(
        SECRET_KEY != DEMO_SECRET_KEY and len(SECRET_KEY) >= 32,
        "SECRET_KEY must be a secret of your own, at least 32 characters, when DEBUG is off.",
    )
    env.require(
        STOCK_KEYS and DEMO_STOCK_KEY not in STOCK_KEYS,
        "STOCK_KEYS must hold keys of your own when DEBUG is off: they encrypt the goods.",
    )
    env.require(
        len(STOCK_FINGERPRINT_KEY) >= 32 and STOCK_FINGERPRINT_KEY != DEMO_FINGERPRINT_KEY,
        "STOCK_FINGERPRINT_KEY must be a secret of your own, at least 32 characters,"
        " when DEBUG is off.",
    )
    env.require(
        len(AUDIT_KEY) >= 32 and AUDIT_KEY != DEMO_AUDIT_KEY,
        "AUDIT_KEY must be a secret of your own, at least 32 characters, when DEBUG is off:"
        " it proves that the audit trail is whole.",
    )
    env.require(ALLOWED_HOSTS, "ALLOWED_HOSTS is missing: the host names this site answers to.")
if env.text("DATABASE_URL"):
    env.require(
        AUDIT_DATABASE_URL and AUDIT_DATABASE_URL != DATABASE_URL,
        "AUDIT_DATABASE_URL is missing or the same as DATABASE_URL: the audit trail needs"
        " a database of its own.",
    )
if TELEGRAM_MODE == "webhook":
    TELEGRAM_WEBHOOK_SECRET = TELEGRAM_WEBHOOK_SECRET or (
        secrets.token_urlsafe(32) if SANDBOX else ""
    )
    env.require(
        len(TELEGRAM_WEBHOOK_SECRET) >= 16,
        "TELEGRAM_WEBHOOK_SECRET must have at least 16 characters when TELEGRAM_MODE is webhook.",
    )
    env.require(
        SANDBOX or TELEGRAM_WEBHOOK_URL.startswith("https://"),
        "TELEGRAM_WEBHOOK_URL must start with https:// when TELEGRAM_MODE is webhook.",
    )
env.finish()
