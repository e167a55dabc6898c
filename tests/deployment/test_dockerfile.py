"""What the image is made of: little, nothing secret, and nobody with more rights than needed."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from quickcart.local.server import _services
from tests.deployment.dockerfile import ROOT, Ignore, final_stage, read_dockerfile, stages

SECRETS_AND_LITTER = [
    ".env",
    ".env.production",
    ".git/config",
    ".data/postgres/PG_VERSION",
    ".data-two/valkey/appendonlydir/x.aof",
    ".venv/bin/python",
    "backup.dump",
    "quickcart/.env",
    "catalog/__pycache__/models.cpython-311.pyc",
    "locale/id/LC_MESSAGES/django.mo",
    "docs/going-live.md",
    "requirements-dev.txt",
    "tests/conftest.py",
    "staticfiles/staticfiles.json",
]


@pytest.mark.parametrize("path", SECRETS_AND_LITTER)
def test_secrets_data_and_litter_stay_outside(path: str) -> None:
    assert not Ignore().keeps(path)


def test_every_app_and_every_text_is_inside() -> None:
    kept = {path.parts[0] for path in Ignore().files(ROOT)}
    own = {name.partition(".")[0] for name in settings.INSTALLED_APPS if (ROOT / name).is_dir()}
    assert own - {"sandbox"} <= kept
    assert {"manage.py", "quickcart", "templates", "locale", "requirements.txt"} <= kept


def test_the_stand_ins_and_the_embedded_servers_are_not_inside() -> None:
    kept = [path.as_posix() for path in Ignore().files(ROOT)]
    foreign = ("sandbox/", "quickcart/local/", "templates/sandbox/", "operations/demo/pictures/")
    assert [path for path in kept if path.startswith(foreign)] == []


def test_it_runs_as_a_user_who_exists_and_is_not_root() -> None:
    stage = final_stage()
    assert stage["USER"] == ["10001:10001"]
    account = stage["RUN"][0]
    assert "groupadd --system --gid 10001 quickcart" in account
    assert "useradd --system --uid 10001 --gid 10001" in account


def test_the_running_image_installs_nothing_and_takes_only_what_was_built() -> None:
    stage = final_stage()
    assert len(stage["RUN"]) == 1
    assert stage["COPY"] == ["--from=build /venv /venv", "--from=build /app /app"]


def test_only_what_the_shop_runs_on_is_installed_in_its_environment() -> None:
    runs = [i.text for i in stages(read_dockerfile())[0] if i.name == "RUN"]
    installs = [run for run in runs if "install" in run]
    assert len(installs) == 2
    assert "install --requirement requirements.txt " in installs[0]
    assert "--target /babel" in installs[1]


def test_both_stages_start_from_one_slim_base_of_the_tested_python() -> None:
    bases = {i.text.removesuffix(" AS build") for i in read_dockerfile() if i.name == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-bookworm", bases.pop())


def test_no_argument_or_variable_of_the_image_is_a_secret() -> None:
    stage = final_stage()
    said = " ".join([*stage["ENV"], *stage["ARG"], *stage["LABEL"]])
    assert re.search(r"KEY|TOKEN|SECRET|PASSWORD", said) is None
    assert stage["ARG"] == [f"VERSION={settings.VERSION}", "COMMIT=unknown"]


def test_without_settings_it_neither_debugs_nor_plays_sandbox() -> None:
    assert "DEBUG=off SANDBOX=off" in " ".join(final_stage()["ENV"])


def test_its_command_is_the_web_process_of_script_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("django.conf.settings.SANDBOX", False)  # one that sells
    command = json.loads(final_stage()["CMD"][0])
    supervised = _services()["web"][2:]  # without `python -m`
    differing = ("--bind", "--graceful-timeout", "--worker-tmp-dir")
    assert [a for a in command if not a.startswith(differing)] == [
        a for a in supervised if not a.startswith(differing)
    ]
    assert "--bind=0.0.0.0:8000" in command
    assert final_stage()["EXPOSE"] == ["8000"]


def test_an_exception_below_an_ignored_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "ignore").write_text("# all\n*\n!a/kept.py\n!b\nb/**/x\n**/*.pyc\n")
    ignore = Ignore(tmp_path / "ignore")
    paths = ["a/kept.py", "a/other.py", "b/one.py", "b/c/d/x", "b/x/y.py", "b/m.pyc", "m.pyc"]
    assert [path for path in paths if ignore.keeps(path)] == ["a/kept.py", "b/one.py"]
