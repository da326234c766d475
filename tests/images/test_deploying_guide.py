"""docs/deploying.md names services, files and commands that exist. test_compose_up.py runs what can be run."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from deploy.cli import cli
from tests.images.command_line import parsed
from tests.images.engine import DEPLOY, ROOT
from tests.images.guide import GUIDE, every_line
from tests.images.service_settings import OURS, SERVICES, published

COMPOSE_LINES = [line for line in every_line() if line.startswith("docker compose ")]
WITH_A_COMMAND = {"exec", "run"}
FLAGS = {"-T", "--rm", "--detach", "--wait", "--build", "--all", "--no-deps", "--volumes"}


def read(line: str) -> tuple[str, list[str]]:
    """Subcommand and what follows its flags."""
    _, _, subcommand, *rest = shlex.split(line.partition(" > ")[0].partition(" < ")[0])
    return subcommand, [word for word in rest if word not in FLAGS]


@pytest.mark.parametrize("line", COMPOSE_LINES)
def test_every_command_is_about_services_that_are_there(line):
    subcommand, words = read(line)
    if subcommand == "logs":
        assert words.pop(0) == "--since"
        words.pop(0)
    named = words[:1] if subcommand in WITH_A_COMMAND else [word.partition(":")[0] for word in words]
    if subcommand == "cp":
        named.pop()
    assert set(named) <= SERVICES.keys()


@pytest.mark.parametrize("line", [line for line in COMPOSE_LINES if read(line)[0] in WITH_A_COMMAND])
def test_every_command_of_ours_is_one_that_huecry_takes(line):
    subcommand, (service, *words) = read(line)
    if subcommand == "exec" and words[0] != "huecry":
        assert service == "postgres" or words[0] == "python3"
        return
    ours = words[1:] if subcommand == "exec" else words or OURS[service]["command"]
    if ours == ["health"]:
        ours = ["health", "--metrics-port", "9400"]  # which the image says
    parsed(cli, [word.replace("/etc/huecry", str(DEPLOY / "demo")) for word in ours])


def test_every_file_that_it_points_to_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target


def test_it_names_every_service_and_every_port():
    table = GUIDE[: GUIDE.index("## From nothing")]
    assert set(re.findall(r"`([a-z0-9-]+)`", table)) >= SERVICES.keys()
    assert {int(port) for port in re.findall(r"localhost:(\d+)", table)} == {port.outside for port in published()}


def test_the_services_that_it_says_to_add_fit_the_file_and_run_what_huecry_takes():
    (block,) = re.findall(r"^```yaml\n(  desk-.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    anchors = "x: [&huecry {image: ours}, &kafka-clients {HUECRY_BOOTSTRAP: there}]\nservices:\n"
    added = yaml.safe_load(anchors + block)["services"]
    assert not added.keys() & SERVICES.keys()
    for name, service in added.items():
        parsed(cli, [word.replace("/etc/huecry", str(DEPLOY / "demo")) for word in service["command"]])
        assert service["volumes"] == ["./demo:/etc/huecry:ro", f"{name}:/var/lib/huecry"]
