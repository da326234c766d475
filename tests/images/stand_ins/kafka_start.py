"""Starts Kafka in a stand-in for the official image: KAFKA_* variables become settings by the same rule."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

JAVA = "/opt/kafka/java/bin/java"
CLASSES = ":".join(map(str, sorted(Path("/opt/kafka/jars").glob("*.jar"))))
PROPERTIES = Path("/tmp/server.properties")
NOT_SETTINGS = {"KAFKA_HEAP_OPTS"}
CLUSTER = "5L6g3nShT-eMCtK--X86sw"

settings = {
    name.removeprefix("KAFKA_").lower().replace("_", "."): value
    for name, value in os.environ.items()
    if name.startswith("KAFKA_") and name not in NOT_SETTINGS
}
PROPERTIES.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
heap = os.environ.get("KAFKA_HEAP_OPTS", "-Xmx512m").split()
java = [JAVA, *heap, "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", CLASSES]
if not Path(settings["log.dirs"], "meta.properties").exists():
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(PROPERTIES)], check=True)
os.execv(  # noqa: S606  in place of this process, so that it gets the signals
    JAVA, [*java, "kafka.Kafka", str(PROPERTIES)]
)
