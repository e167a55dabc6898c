"""compose.yaml runs what script/server runs, each part with as few rights as it needs."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from operations.health import PARTS
from quickcart.local.postgres import MAJOR, SETTINGS
from quickcart.local.server import _services
from tests.deployment.composefile import ROOT, VARIABLE, Missing, interpolate, read_compose
from tests.deployment.dockerfile import final_stage

VARIABLES = {"POSTGRES_PASSWORD": "5f3a", "PUBLIC_URL": "https://shop.example"}
COMPOSE = interpolate(read_compose(), VARIABLES)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = sorted(set(SERVICES) - {"migrate"})
OURS = ["bot", "migrate", "scheduler", "web", "worker"]
every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_lasting_service = pytest.mark.parametrize("name", LASTING)
each_of_ours = pytest.mark.parametrize("name", OURS)


def test_it_is_the_whole_shop() -> None:
    assert sorted(SERVICES) == sorted([*_services(), "migrate", "postgres", "redis"])


@pytest.mark.parametrize("name", ["bot", "worker", "scheduler"])
def test_the_processes_are_those_of_script_server(name: str) -> None:
    manage, *arguments = _services()[name][1:]
    assert manage.endswith("/manage.py")
    assert SERVICES[name]["command"] == ["python", "manage.py", *arguments]


def test_the_web_process_is_the_images_own() -> None:
    assert "command" not in SERVICES["web"]


@every_service
def test_every_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert "/tmp" in service["tmpfs"]  # noqa: S108 (inside the container)


@every_service
def test_every_service_is_limited_and_reaped(name: str) -> None:
    service = SERVICES[name]
    assert service["init"] is True
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]


@every_lasting_service
def test_every_lasting_service_is_started_again_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["stop_grace_period"]


@pytest.mark.parametrize("name", ["bot", "worker", "scheduler"])
def test_each_process_is_asked_for_its_own_part(name: str) -> None:
    asked = SERVICES[name]["healthcheck"]["test"]
    assert asked == ["CMD", "python", "manage.py", "health", name]
    assert name in PARTS


def test_web_is_asked_at_the_port_it_listens_on() -> None:
    asked = SERVICES["web"]["healthcheck"]["test"]
    port = final_stage()["EXPOSE"][0]
    assert asked == ["CMD", "python", "docker/ready.py", port]
    assert f"--bind=0.0.0.0:{port}" in json.loads(final_stage()["CMD"][0])


@each_of_ours
def test_ours_run_as_the_images_user(name: str) -> None:
    assert [SERVICES[name]["user"]] == final_stage()["USER"]


def test_one_service_builds_the_image_and_nobody_looks_for_it_elsewhere() -> None:
    assert [name for name in OURS if "build" in SERVICES[name]] == ["migrate"]
    assert {SERVICES[name]["image"] for name in OURS} == {"quickcart:local"}
    assert {SERVICES[name]["pull_policy"] for name in OURS} == {"never"}


@pytest.mark.parametrize("name", ["bot", "scheduler", "web", "worker"])
def test_nobody_works_before_the_databases_are_up_to_date(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }


def test_migrate_brings_both_databases_up_to_date_and_ends() -> None:
    service = SERVICES["migrate"]
    assert service["restart"] == "no"
    first, second = service["command"][-1].split(" && ")
    assert first == "python manage.py migrate --noinput"
    assert second == f"{first} --database=audit"


def test_only_web_has_a_port_and_only_for_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


def test_the_databases_are_cut_off_from_the_outside() -> None:
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert {name for name in SERVICES if SERVICES[name]["networks"] == ["data"]} == {
        "migrate",
        "postgres",
        "redis",
    }


@each_of_ours
def test_an_empty_line_of_env_makes_no_sandbox(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert SERVICES[name]["env_file"] == ".env"
    assert (environment["DEBUG"], environment["SANDBOX"]) == ("off", "off")
    assert environment["LOG_FORMAT"] == "json"


def test_the_addresses_lead_to_the_services_and_the_audit_trail_is_apart() -> None:
    environment = SERVICES["web"]["environment"]
    main, audit = (urlsplit(environment[f"{kind}DATABASE_URL"]) for kind in ("", "AUDIT_"))
    assert (main.hostname, audit.hostname) == ("postgres", "postgres")
    assert main.password == audit.password == VARIABLES["POSTGRES_PASSWORD"]
    created = SERVICES["postgres"]["environment"]
    assert main.path == f"/{created['POSTGRES_DB']}"
    assert main.username == created["POSTGRES_USER"]
    script = ROOT / "docker/create-audit-database.sql"
    assert f"CREATE DATABASE {audit.path[1:]};" in script.read_text()
    assert any(volume.startswith("./docker/create-audit-database.sql:/docker-entrypoint-initdb.d/")
               for volume in SERVICES["postgres"]["volumes"])  # fmt: skip
    assert urlsplit(environment["REDIS_URL"]).hostname == "redis"


def test_it_is_the_postgresql_of_script_server() -> None:
    postgres = SERVICES["postgres"]
    assert postgres["image"] == f"postgres:{MAJOR}-bookworm"
    for name in ("log_min_error_statement", "log_error_verbosity", "log_checkpoints"):
        assert f"-c {name}={SETTINGS[name]}" in postgres["command"]
    made = postgres["environment"]["POSTGRES_INITDB_ARGS"]
    assert "--locale-provider=builtin --builtin-locale=C.UTF-8" in made


def test_data_is_kept_in_named_volumes() -> None:
    # PostgreSQL's image from 18 on keeps its data in a folder of its version below this one.
    assert SERVICES["postgres"]["volumes"][0] == "postgres:/var/lib/postgresql"
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    assert set(COMPOSE["volumes"]) == {"postgres", "redis"}


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_what_must_be_set_is_asked_for(name: str) -> None:
    with pytest.raises(Missing, match=f"^{name} must be set in .env$"):
        interpolate(read_compose(), VARIABLES | {name: ""})


def test_there_is_no_secret_in_it() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for line in text.splitlines():
        name, _, value = line.strip().partition(": ")
        if re.search(r"PASSWORD|SECRET|KEY|TOKEN", name) and not name.startswith("#"):
            assert VARIABLE.match(value), line
    assert re.search(r"://\w+:[^$@\s]+@", text) is None
