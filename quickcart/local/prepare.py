"""What `script/server` does once between the servers and the services: databases, texts, demo."""

import os
import sys

import django
import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from quickcart import translations
from quickcart.local.postgres import create_database


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quickcart.settings")
    try:
        translations.compile_catalogs()
        for alias in ("default", "audit"):
            create_database(_address(settings.DATABASES[alias]))
        django.setup()
        _migrate()
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        if settings.SANDBOX:
            _fill_sandbox()
    except psycopg.OperationalError as error:
        sys.exit(f"A database cannot be reached or created: {str(error).strip()}")
    except (ImproperlyConfigured, CommandError) as error:
        sys.exit(str(error))


def _migrate() -> None:
    for alias in ("default", "audit"):
        _say(f"migrating the {alias} database")
        call_command("migrate", database=alias, interactive=False, verbosity=0)


def _fill_sandbox() -> None:
    call_command("seed_demo", "--if-empty")
    # The stand-in must know the people of the demo, or the shop could not write to them.
    call_command("seed_sandbox")


def _address(database: dict[str, object]) -> str:
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host"}
    names["PORT"] = "port"
    given = {names[name]: str(database[name]) for name in names if database.get(name)}
    return psycopg.conninfo.make_conninfo("", **given)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
