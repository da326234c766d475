"""compose.yaml keeps the Compose specification; every command, option, file, port and member it names exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.broker import _SETTINGS as BROKER_SETTINGS
from deploy.cli import cli
from deploy.status.targets import Target, read_targets
from schemas.exchange import load_exchange
from tests.images.command_line import parsed
from tests.images.engine import COMPOSE, DEPLOY, DOCKERFILE, ROOT
from tests.images.service_settings import (
    FILE,
    ONCE,
    OURS,
    SERVICES,
    TEXT,
    bind_mounts,
    filled,
    published,
    variables,
)

EVERYWHERE = "0.0.0.0"  # noqa: S104  within the private network of the containers
RUNNING = [name for name in OURS if name not in ONCE]
METRICS_PORT = 9400
TARGETS = DEPLOY / "compose" / "prometheus-targets"
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?@sha256:[0-9a-f]{64}")


def words(service):
    """The command, with paths of the container as they are here."""
    said = list(service["command"])
    for source, target in bind_mounts(service):
        said = [word.replace(target, str(source)) for word in said]
    return said


def understood(name, monkeypatch):
    """The options of a service's command, its environment read."""
    for variable in [name for name in os.environ if name.startswith("HUECRY_")]:
        monkeypatch.delenv(variable)
    port = re.search(r"HUECRY_METRICS_PORT=(\d+)", DOCKERFILE.read_text("utf-8"))
    monkeypatch.setenv("HUECRY_METRICS_PORT", port[1])
    for variable, value in OURS[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    return parsed(cli, words(OURS[name]))


def test_it_keeps_the_compose_specification():
    check = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    told = subprocess.run([*check, COMPOSE], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_the_checker_would_say_what_breaks_the_specification(tmp_path):
    worse = tmp_path / "compose.yaml"
    worse.write_text(TEXT.replace("    stop_grace_period:", "    stop_grace:", 1), "utf-8")
    check = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    told = subprocess.run([*check, worse], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "stop_grace" in told.stdout


def test_the_parts_of_an_exchange_are_there():
    commands = [service["command"][0] for service in OURS.values()]
    assert {"provision", "agreements", "registry", "route", "produce", "consume", "ledger"} == set(commands)
    assert commands.count("route") == 2
    assert {"kafka", "postgres", "prometheus", "grafana"} == SERVICES.keys() - OURS.keys()


@pytest.mark.parametrize("name", OURS)
def test_every_command_line_is_one_that_huecry_takes(name, monkeypatch):
    options = understood(name, monkeypatch).params
    exchange = load_exchange(options["exchange"])
    if "force" in options:
        assert options["force"] in exchange.publishers()
    if "member" in options:
        assert options["member"] in exchange.receivers()


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_one_that_huecry_reads(name):
    given = {variable for variable in OURS[name]["environment"] if variable.startswith("HUECRY_")}
    commands = "".join(file.read_text("utf-8") for file in (DEPLOY / "cli").glob("*.py"))
    read = set(re.findall(r'envvar="(HUECRY_\w+)"', commands))
    assert given <= read


@pytest.mark.parametrize("name", sorted(set(OURS) - {"registry"}))
def test_every_process_finds_kafka_where_kafka_says_that_it_is(name, monkeypatch):
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"INTERNAL://{understood(name, monkeypatch).params['bootstrap']}," in advertised


@pytest.mark.parametrize("name", RUNNING)
def test_every_process_serves_its_metrics_to_the_private_network_and_to_nobody_else(name, monkeypatch):
    assert understood(name, monkeypatch).meta["huecry.metrics_host"] == EVERYWHERE
    assert understood(name, monkeypatch).params["metrics_port"] == METRICS_PORT
    assert METRICS_PORT not in {port.inside for port in published()}


def test_prometheus_and_status_ask_every_process_and_every_worker_and_nobody_else(monkeypatch):
    expected = set()
    for name in RUNNING:
        options = understood(name, monkeypatch)
        job, whose = options.command.name, options.params.get("force") or options.params.get("member") or ""
        expected.add(Target(f"{name}:{METRICS_PORT}", "registry" if job == "serve" else job, whose))
        workers = range(options.params.get("workers", 0))
        expected |= {Target(f"{name}:{METRICS_PORT + 1 + n}", "route-worker") for n in workers}
    asked = [target for file in TARGETS.glob("*.yaml") for target in read_targets(file)]
    assert len(asked) == len(expected)
    assert set(asked) == expected


def test_both_find_the_processes_in_the_same_folder():
    assert (TARGETS, "/etc/prometheus/targets") in bind_mounts(SERVICES["prometheus"])
    for name in ("route-1", "route-2"):
        folder, _, file = OURS[name]["environment"]["HUECRY_TARGETS"].rpartition("/")
        assert (TARGETS, folder) in bind_mounts(OURS[name])
        assert (TARGETS / file).exists()


def test_the_policy_is_put_in_force_once_and_routers_wait_for_it(monkeypatch):
    options = understood("policy", monkeypatch).params
    assert options["once"] is True
    for name in ("route-1", "route-2"):
        assert understood(name, monkeypatch).params["agreements"] is None
        assert OURS[name]["depends_on"] == {"policy": {"condition": "service_completed_successfully"}}


def test_routers_have_names_of_their_own(monkeypatch):
    instances = [understood(name, monkeypatch).params["instance"] for name in OURS if name.startswith("route-")]
    assert sorted(instances) == ["route-1", "route-2"]


def test_every_router_keeps_what_it_remembers_in_a_volume_of_its_own(monkeypatch):
    state_home = re.search(r"XDG_STATE_HOME=(\S+)", DOCKERFILE.read_text("utf-8"))
    kept = []
    for name in ("route-1", "route-2"):
        assert understood(name, monkeypatch).params["state"] is None
        kept += [mount for mount in OURS[name]["volumes"] if mount.endswith(f":{state_home[1]}/huecry")]
    assert len(set(kept)) == 2


def test_the_registry_is_published_on_the_port_it_listens_on(monkeypatch):
    options = understood("registry", monkeypatch).params
    assert ("registry", options["port"]) in {(port.service, port.inside) for port in published()}
    assert options["host"] == EVERYWHERE


def test_whoever_writes_to_postgres_finds_a_database_and_a_user_of_its_own():
    server = SERVICES["postgres"]["environment"]
    created = (DEPLOY / "compose" / "postgres" / "databases.sql").read_text("utf-8")
    databases = {server["POSTGRES_DB"], *re.findall(r"^CREATE DATABASE (\w+);$", created, re.MULTILINE)}
    used = re.findall(r"--into=postgresql://(\w+)@postgres/(\w+)$", TEXT, re.MULTILINE)
    assert {user for user, _ in used} == {server["POSTGRES_USER"]}
    assert sorted(database for _, database in used) == sorted(databases)


def test_every_file_that_is_mounted_exists_and_is_mounted_read_only():
    for name, service in SERVICES.items():
        for source, _ in bind_mounts(service):
            assert source.exists(), f"{name} mounts {source}"
        assert all(mount.endswith(":ro") for mount in service.get("volumes", ()) if mount.startswith("."))


def test_every_volume_is_declared_and_used():
    used = {
        mount.partition(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", ())
        if not mount.startswith(".")
    }
    assert used == FILE["volumes"].keys()


def test_nothing_is_published_but_on_this_machine():
    assert {port.address for port in published()} == {"127.0.0.1"}
    outside = [port.outside for port in published()]
    assert len(outside) == len(set(outside))


@pytest.mark.parametrize("given", [{}, {"HUECRY_KAFKA_PORT": "19999"}])
def test_kafka_answers_this_machine_where_it_is_published(given):
    kafka = SERVICES["kafka"]["environment"]
    (port,) = [port for port in published() if port.service == "kafka"]
    (mapping,) = SERVICES["kafka"]["ports"]
    outside = filled(mapping, given).split(":")[1]
    assert filled(kafka["KAFKA_ADVERTISED_LISTENERS"], given).endswith(f",EXTERNAL://localhost:{outside}")
    assert f"EXTERNAL://:{port.inside}," in kafka["KAFKA_LISTENERS"]


def test_kafka_is_set_up_as_our_own_broker_is():
    ours = {"KAFKA_" + name.replace(".", "_").upper(): value for name, value in BROKER_SETTINGS.items()}
    differs = {name for name, value in SERVICES["kafka"]["environment"].items() if name in ours and ours[name] != value}
    # There are two listeners for clients, and so names for them.
    assert differs == {"KAFKA_INTER_BROKER_LISTENER_NAME", "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"}


def test_every_image_but_ours_is_pinned_by_version_and_digest():
    for name in SERVICES.keys() - OURS.keys():
        image = SERVICES[name]["image"]
        assert re.fullmatch(r"\$\{HUECRY_\w+_IMAGE:-[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?@sha256:[0-9a-f]{64}\}", image), (
            name
        )


def test_our_image_is_tagged_with_the_version_of_the_distribution():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {service["image"] for service in OURS.values()} == {f"${{HUECRY_IMAGE:-huecry:{version}}}"}


def test_no_password_has_a_default_and_the_example_names_every_one():
    secret = {
        str(value)
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if "PASSWORD" in name
    }
    assert len(secret) == 2
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", value) for value in secret)
    assert {name for name, default in variables().items() if default is None} == {
        name for value in secret for name in re.findall(r"HUECRY_\w+", value)
    }
    example = (DEPLOY / ".env.example").read_text("utf-8")
    assert set(re.findall(r"^(HUECRY_\w+)=$", example, re.MULTILINE)) == set(re.findall(r"HUECRY_\w+", str(secret)))


def test_the_example_names_every_port_that_may_be_another():
    example = dict(re.findall(r"^# (HUECRY_\w+)=(\S+)$", (DEPLOY / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert example == {port.variable: str(port.outside) for port in published()}


def test_the_file_of_passwords_is_never_committed():
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert "**/.env" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_no_process_can_gain_rights(name):
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_our_processes_have_no_more_rights_than_they_need(name):
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert "user" not in service
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_comes_back(name):
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["restart"] == ("on-failure:5" if name in ONCE else "unless-stopped")
    assert service["logging"]["options"]["max-size"]


def test_whoever_waits_waits_for_what_can_come():
    for service in SERVICES.values():
        for other, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_completed_successfully":
                assert other in ONCE
            else:
                assert wait["condition"] == "service_healthy"
                assert other in OURS or "test" in SERVICES[other]["healthcheck"]
                assert not SERVICES[other].get("healthcheck", {}).get("disable")
