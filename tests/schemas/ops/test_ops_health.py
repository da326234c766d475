"""What a process says of itself over HTTP is what holds, and it says it only where it should."""

from __future__ import annotations

import doctest
import http.client
import json
import socket

import pytest

from schemas.errors import Fatal
from schemas.ops import health as health_module
from schemas.ops import metrics
from schemas.ops.health import Health, serve_ops


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def health(clock):
    return Health(stale_after_s=10, clock=clock)


@pytest.fixture
def get(health):
    with serve_ops(0, health) as server:

        def ask(path: str) -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status, response.read().decode()
            finally:
                connection.close()

        yield ask


def test_a_process_is_not_ready_until_it_says_so(get, health):
    status, body = get("/health/ready")
    assert (status, json.loads(body)) == (503, {"ready": False, "reasons": {"process": "starting"}})
    health.ready()
    status, body = get("/health/ready")
    assert (status, json.loads(body)) == (200, {"ready": True, "reasons": {}})


def test_one_unready_component_makes_the_process_unready_and_says_why(get, health):
    health.ready(component="sink")
    health.unready("waiting for Kafka", component="session")
    status, body = get("/health/ready")
    assert (status, json.loads(body)["reasons"]) == (503, {"session": "waiting for Kafka"})
    health.ready(component="session")
    assert get("/health/ready")[0] == 200


def test_readiness_is_a_metric_too(health):
    health.unready("database away", component="test-sink")
    assert metrics.reading("component_ready", component="test-sink") == 0
    health.ready(component="test-sink")
    assert metrics.reading("component_ready", component="test-sink") == 1


def test_what_is_watched_is_asked_whenever_somebody_asks_also_while_the_loop_hangs(get, health):
    trouble = ""
    health.watch("test-watched", lambda: trouble)
    assert json.loads(get("/health/ready")[1])["reasons"] == {"process": "starting"}, "watching makes nobody ready"
    health.ready()
    assert get("/health/ready")[0] == 200
    trouble = "Kafka does not answer"
    status, body = get("/health/ready")
    assert (status, json.loads(body)["reasons"]) == (503, {"test-watched": "Kafka does not answer"})
    assert metrics.reading("component_ready", component="test-watched") == 0
    trouble = ""
    assert metrics.reading("component_ready", component="test-watched") == 1


def test_how_long_the_loop_has_been_silent_is_a_metric_that_rises_by_itself(get, health, clock):
    assert "huecry_loop_silent_seconds 0.0" in get("/metrics")[1]
    health.beat()
    clock.now_s += 42
    assert "huecry_loop_silent_seconds 42.0" in get("/metrics")[1]
    assert health.stalled_s() == 42
    health.beat()
    clock.now_s += 3
    assert health.stalled_s() == 0, "one turn may take as long"


def test_a_process_that_never_beats_is_live(get, clock):
    clock.now_s += 1000
    assert get("/health/live")[0] == 200


def test_a_main_loop_that_stopped_beating_is_not_live_until_it_beats_again(get, health, clock):
    health.beat()
    clock.now_s += 10
    assert get("/health/live")[0] == 200
    clock.now_s += 0.5
    status, body = get("/health/live")
    assert (status, json.loads(body)) == (503, {"live": False, "beat_age_s": 10.5})
    health.beat()
    assert get("/health/live")[0] == 200


def test_metrics_are_served_as_prometheus_reads_them(get):
    metrics.increment("transactions_total", outcome="committed")
    status, body = get("/metrics?name=any")
    assert status == 200
    assert "# TYPE huecry_transactions_total counter" in body
    assert 'huecry_transactions_total{outcome="committed"}' in body


def test_an_unknown_path_is_404_and_names_the_known_ones(get):
    status, body = get("/health/jane-ashworth")
    assert status == 404
    assert json.loads(body)["paths"] == ["/metrics", "/health/live", "/health/ready"]
    assert "jane" not in body


def test_requests_leave_no_trace_in_the_logs(get, capsys):
    get("/metrics")
    get("/nowhere")
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_taken_port_is_a_clear_error(health):
    with serve_ops(0, health) as server, pytest.raises(Fatal, match=rf"127\.0\.0\.1:{server.port}.*--metrics-port"):
        serve_ops(server.port, health)


def test_an_impossible_port_is_a_clear_error(health):
    with pytest.raises(Fatal, match="70000"):
        serve_ops(70000, health)


def test_it_listens_on_this_machine_only(health):
    with serve_ops(0, health) as server:
        assert server._server.server_address[0] == "127.0.0.1"


def test_a_closed_server_frees_its_port_and_may_be_closed_again(health):
    server = serve_ops(0, health)
    server.close()
    server.close()
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", server.port))
    with serve_ops(server.port, health):
        pass


def test_a_silent_client_does_not_hold_up_others_or_the_end(get, health):
    with serve_ops(0, health) as server, socket.create_connection(("127.0.0.1", server.port)):
        assert get("/health/live")[0] == 200


def test_the_examples_in_the_docstring_hold():
    assert doctest.testmod(health_module).failed == 0


def test_it_listens_where_it_is_told_and_nowhere_else():
    with serve_ops(0, Health(), "127.0.0.2") as server:
        assert server.url == f"http://127.0.0.2:{server.port}"
        socket.create_connection(("127.0.0.2", server.port), timeout=10).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=10)
