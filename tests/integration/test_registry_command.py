"""``huecry registry serve`` from outside: it says where it is, answers, and ends in good order."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient

from schemas.catalogue import catalogue

EXCHANGE = """\
exchange: example
members:
  west-yorkshire: {name: West Yorkshire, publishes: true, receives: true}
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_stopped(tmp_path: Path, ending: signal.Signals):
    exchange = tmp_path / "exchange.yaml"
    exchange.write_text(EXCHANGE, "utf-8")
    command = [sys.executable, "-c", "from deploy.cli import main; main()"]
    serve = [*command, "registry", "serve", "--port", "0", "--exchange", str(exchange)]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        url = next(word for word in told.split() if word.startswith("http://127.0.0.1:"))
        with SchemaRegistryClient({"url": url}) as client:
            delivery = client.get_latest_version("partner.west-yorkshire-value")
            assert delivery.schema_id == catalogue().current("Delivery").schema_id
            assert "incidents.west-yorkshire-value" in client.get_subjects()
        process.send_signal(ending)

        assert process.wait(10) == 0
