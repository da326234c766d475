"""The Docker engine that image tests use, and the images they start from; every name can be set from outside.

| variable | what it names | otherwise |
| --- | --- | --- |
| HUECRY_TEST_DOCKER | the docker client; it must speak BuildKit | docker |
| HUECRY_TEST_COMPOSE | the command of Docker Compose | docker compose |
| HUECRY_TEST_BASE_IMAGE | what our image is built on | the Dockerfile's |
| HUECRY_TEST_KAFKA_IMAGE, …_POSTGRES_…, …_PROMETHEUS_…, …_GRAFANA_… | what runs beside it | those of compose.yaml |
| HUECRY_TEST_PIP_CONF, HUECRY_TEST_CA | files that pip needs in the build to reach an index; kept out of the image | |
| HUECRY_TEST_PULL | not empty: pull what is not there, and fail where tests would be skipped | |

The engine is the one that DOCKER_HOST names. Where it can pull none: `python -m tests.images.stand_ins.build`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
DOCKERFILE: Final = DEPLOY / "Dockerfile"
COMPOSE: Final = DEPLOY / "compose.yaml"
DOCKER: Final = os.environ.get("HUECRY_TEST_DOCKER", "docker")
DOCKER_COMPOSE: Final = shlex.split(os.environ.get("HUECRY_TEST_COMPOSE", "docker compose"))
PULLS: Final = bool(os.environ.get("HUECRY_TEST_PULL"))
_BUILD_S: Final = 900.0


def base_image() -> str:
    """What our image is built on."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return os.environ.get("HUECRY_TEST_BASE_IMAGE") or found[1]


def image_of(service: str) -> str:
    """What a service of compose.yaml runs on: kafka, postgres, prometheus or grafana."""
    image = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"][service]["image"]
    found = re.fullmatch(r"\$\{\w+:-(\S+)\}", image)
    assert found is not None
    return os.environ.get(f"HUECRY_TEST_{service.upper()}_IMAGE") or found[1]


def docker(*arguments: str, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    """What the docker client says."""
    return subprocess.run([DOCKER, *arguments], capture_output=True, text=True, timeout=within_s, check=False)


@cache
def why_not() -> str:
    """Why our image cannot be built here, and what to do about it; empty where it can."""
    try:
        engine = docker("version", "--format", "{{.Server.Version}}", within_s=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker: {type(error).__name__} of `{DOCKER} version`; install an engine, see docs/deploying.md"
    if engine.returncode != 0:
        return "no Docker engine answers: start one, or name it with DOCKER_HOST; see docs/deploying.md"
    return why_no_image(base_image())


@cache
def why_no_image(image: str) -> str:
    """Why the engine has not this image, and what to do about it; empty where it has."""
    if docker("image", "inspect", image).returncode == 0:
        return ""
    if PULLS and docker("pull", "--quiet", image, within_s=_BUILD_S).returncode == 0:
        return ""
    return f"the engine has no {image}: `make images` pulls it, or name another as tests/images/engine.py says"


@cache
def why_no_compose() -> str:
    """Why there is no Docker Compose; empty where there is one."""
    try:
        told = subprocess.run([*DOCKER_COMPOSE, "version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker Compose: {type(error).__name__} of `{shlex.join(DOCKER_COMPOSE)} version`"
    return "" if told.returncode == 0 else f"no Docker Compose: `{shlex.join(DOCKER_COMPOSE)} version` fails"


def need(why: str) -> None:
    """Skip the test if there is a reason; whoever asked for these tests by name gets a failure for it."""
    if why and PULLS:
        pytest.fail(why)
    if why:
        pytest.skip(why)


def build_image(tag: str) -> None:
    """Our image, on the base that the tests are told."""
    files = {"pip.conf": "HUECRY_TEST_PIP_CONF", "ca.pem": "HUECRY_TEST_CA"}
    secrets = [f"--secret=id={name},src={os.environ[file]}" for name, file in files.items() if os.environ.get(file)]
    command = [DOCKER, "build", f"--file={DOCKERFILE}", f"--build-arg=BASE_IMAGE={base_image()}", f"--tag={tag}"]
    built = subprocess.run(
        [*command, *secrets, str(ROOT)],
        env=os.environ | {"DOCKER_BUILDKIT": "1"},
        capture_output=True,
        text=True,
        timeout=_BUILD_S,
        check=False,
    )
    assert built.returncode == 0, f"{built.stdout[-2000:]}\n{built.stderr[-4000:]}"
