"""The Docker engine that image tests use, and the images they start from; every name can be set from outside.

| variable | what it names | otherwise |
| --- | --- | --- |
| HUECRY_TEST_DOCKER | the docker client; it must speak BuildKit | docker |
| HUECRY_TEST_BASE_IMAGE | what our image is built on | the Dockerfile's |
| HUECRY_TEST_KAFKA_IMAGE, HUECRY_TEST_POSTGRES_IMAGE | what runs beside it | those of compose.yaml |
| HUECRY_TEST_PIP_CONF, HUECRY_TEST_CA | files that pip needs during the build, to reach an index; kept out of the image | |

The engine is the one that DOCKER_HOST names. No test pulls an image: pull them first, or build stand-ins where none can
be pulled (`tests.images.stand_ins.build`).
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
DOCKERFILE: Final = DEPLOY / "Dockerfile"
COMPOSE: Final = DEPLOY / "compose.yaml"
DOCKER: Final = os.environ.get("HUECRY_TEST_DOCKER", "docker")


def default_base() -> str:
    """The base image that the Dockerfile names."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def default_of(service: str) -> str:
    """The image that compose.yaml names for a service, where no variable says otherwise."""
    image = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"][service]["image"]
    found = re.fullmatch(r"\$\{\w+:-(\S+)\}", image)
    assert found is not None
    return found[1]


def base_image() -> str:
    return os.environ.get("HUECRY_TEST_BASE_IMAGE") or default_base()


def kafka_image() -> str:
    return os.environ.get("HUECRY_TEST_KAFKA_IMAGE") or default_of("kafka")


def postgres_image() -> str:
    return os.environ.get("HUECRY_TEST_POSTGRES_IMAGE") or default_of("postgres")


@cache
def why_not() -> str:
    """Why image tests cannot run here, and what to do about it; empty where they can."""
    try:
        engine = docker("version", "--format", "{{.Server.Version}}", within_s=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Docker: {type(error).__name__} of `{DOCKER} version`; install an engine, see docs/deploying.md"
    if engine.returncode != 0:
        return "no Docker engine answers: start one, or name it with DOCKER_HOST; see docs/deploying.md"
    missing = [image for image in (base_image(), kafka_image(), postgres_image()) if not _is_here(image)]
    if missing:
        return f"the engine has no {', '.join(missing)}: pull, or name others as tests/images/engine.py says"
    return ""


def docker(*arguments: str, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    """What the docker client says."""
    return subprocess.run([DOCKER, *arguments], capture_output=True, text=True, timeout=within_s, check=False)


def build_image(tag: str) -> None:
    """Our image, on the base that the tests are told."""
    secrets = {"pip.conf": "HUECRY_TEST_PIP_CONF", "ca.pem": "HUECRY_TEST_CA"}
    given = [
        f"--secret=id={name},src={os.environ[variable]}"
        for name, variable in secrets.items()
        if os.environ.get(variable)
    ]
    command = [
        DOCKER,
        "build",
        f"--file={DOCKERFILE}",
        f"--build-arg=BASE_IMAGE={base_image()}",
        f"--tag={tag}",
        *given,
    ]
    environment = os.environ | {"DOCKER_BUILDKIT": "1"}
    built = subprocess.run(
        [*command, str(ROOT)], env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert built.returncode == 0, f"{built.stdout[-2000:]}\n{built.stderr[-4000:]}"


def _is_here(image: str) -> bool:
    return docker("image", "inspect", image).returncode == 0
