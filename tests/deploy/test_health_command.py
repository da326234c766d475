"""``huecry health`` tells an orchestrator how a process is, wherever the process was told to answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from deploy.cli import cli
from deploy.cli.process import ops
from deploy.demo.crew import free_ports
from schemas.errors import Unavailable
from schemas.ops import metrics
from schemas.ops.health import Health, serve_ops
from schemas.ops.serving import Serving


class SilentFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def ask(*arguments: str, **environment: str):
    return CliRunner().invoke(cli, ["health", *arguments], env=environment)


@pytest.fixture
def process():
    health = Health()
    with serve_ops(0, health, "127.0.0.2") as server:
        yield health, {"HUECRY_METRICS_PORT": str(server.port), "HUECRY_METRICS_HOST": "127.0.0.2"}


def test_a_ready_process_is_exit_code_0_and_one_that_waits_is_1_and_says_for_what(process):
    health, where = process
    health.ready()
    assert ask(**where).exit_code == 0
    health.unready("waiting for Kafka", component="session")
    answer = ask(**where)
    assert answer.exit_code == 1
    assert json.loads(answer.output) == {"ready": False, "reasons": {"session": "waiting for Kafka"}}


def test_a_process_that_waits_is_live_all_the_same(process):
    health, where = process
    health.unready("waiting for Kafka")
    assert ask("live", **where).exit_code == 0


def test_where_nobody_answers_the_error_says_where_it_asked():
    port = free_ports(1)
    with pytest.raises(Unavailable, match=rf"127\.0\.0\.1:{port}.*--metrics-port"):
        CliRunner().invoke(cli, ["health", "--metrics-port", str(port)], catch_exceptions=False)


def test_an_answer_that_is_not_a_huecry_process_s_is_told_as_none():
    with Serving(ThreadingHTTPServer(("127.0.0.1", 0), SilentFiles), "other") as server, pytest.raises(Unavailable):
        CliRunner().invoke(cli, ["health", "--metrics-port", str(server.port)], catch_exceptions=False)


def test_without_a_port_it_is_wrong_usage():
    assert ask().exit_code == 2


def test_outside_a_command_metrics_are_for_this_machine_alone():
    port = free_ports(1)
    with ops(port, "registry"):
        assert ask("live", "--metrics-port", str(port)).exit_code == 0


def test_a_command_serves_its_metrics_and_its_registry_where_it_is_told():
    port = free_ports(1)
    where = {"HUECRY_METRICS_PORT": str(port), "HUECRY_METRICS_HOST": "127.0.0.3"}
    serve = [sys.executable, "-c", "from deploy.cli import main; main()", "registry", "serve"]
    serve += ["--port", "0", "--host", "127.0.0.2"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=os.environ | where) as command:
        assert command.stdout is not None
        assert "http://127.0.0.2:" in command.stdout.readline()
        assert ask(**where).exit_code == 0
        with pytest.raises(Unavailable):
            CliRunner().invoke(cli, ["health", "--metrics-port", str(port)], catch_exceptions=False)
        command.terminate()
        assert command.wait(30) == 0


def test_a_process_says_in_its_metrics_which_service_it_is_and_whose():
    with ops(None, "consume", "north"):
        assert metrics.reading("process_info", service="consume", whose="north") == 1
