"""Feedback as a file of JSON Lines: one record a line, each once, whatever is killed when.

A line is durable before its record counts as read. Beside the file stands its position, ``<file>.position``: how far
the topic was read, and how long the file was then. On start, whole lines beyond that length are counted as read and a
torn last line is cut off, so that none is written twice. A file that was moved away, as by log rotation, is begun
afresh, and the position holds.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from consumers.delivery import Batch, Positions, SetAside
from consumers.feedback.record import Told
from consumers.sinks import Gap, Written
from consumers.sinks.table import iso
from schemas.errors import Fatal, Rejected, Unavailable

_RETRY_S: Final = 1.0


class FeedbackFile:
    """One force's feedback in a file. Fulfils `Sink[Told]`. One process at a time may have it."""

    def __init__(self, path: Path, force: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open the file, made if it is not there, and find out how far it is.

        Raises:
            Rejected: it cannot be opened, or another process has it, or it holds something else.
        """
        self._path, self._beside = path, path.with_name(f"{path.name}.position")
        self._force = force
        self._clock = clock
        self._fd = _open(path)
        try:
            self._positions = self._found()
        except BaseException:
            os.close(self._fd)
            raise

    def write(self, batch: Batch[Told]) -> Written[Told]:
        """Make a batch durable; see `consumers.sinks`."""
        taken = [one for one in batch.taken if not one.record.is_before(self._positions)]
        refused = [one for one in batch.set_aside if not one.record.is_before(self._positions)]
        lines = sorted(
            [(one.record.offset, _line(one)) for one in taken]
            + [(one.record.offset, _line_of_refused(one)) for one in refused]
        )
        self._append(b"".join(line for _, line in lines))
        self._positions = {**self._positions, **_later(batch.positions, self._positions)}
        self._keep_position()
        return Written(tuple(taken), len(batch.taken) - len(taken), tuple(refused))

    def positions(self) -> Positions:
        """Where to read on."""
        return self._positions

    def note_gap(self, gap: Gap) -> None:
        """Keep that records were lost to retention, as a line of the file."""
        said = {"lost": gap._asdict(), "noticed_at": iso(self._clock())}
        self._append(json.dumps(said, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _append(self, lines: bytes) -> None:
        """All of it durable, or nothing of it there."""
        if not lines:
            return
        self._follow()
        length = os.fstat(self._fd).st_size
        try:
            left = memoryview(lines)
            while left:
                left = left[os.write(self._fd, left) :]
            os.fsync(self._fd)
        except OSError as error:
            os.ftruncate(self._fd, length)
            message = f"{self._path}: cannot be written now: {error.strerror}"
            raise Unavailable(message, retry_after_s=_RETRY_S) from None

    def _follow(self) -> None:
        """If the file was moved away, go on in a new one in its place."""
        try:
            is_same = os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            is_same = False
        if not is_same:
            new = _open(self._path)
            os.close(self._fd)
            self._fd = new

    def _keep_position(self) -> None:
        """Put beside the file how far it is, in the place of what stood there; what is lost of it is found again."""
        length = os.fstat(self._fd).st_size
        places = [[topic, partition, at] for (topic, partition), at in self._positions.items()]
        said = {"force": self._force, "bytes": length, "positions": places}
        new = self._beside.with_name(f"{self._beside.name}.new")
        try:
            new.write_text(json.dumps(said), "utf-8")
            new.replace(self._beside)
        except OSError as error:
            raise Unavailable(f"{self._beside}: cannot be written now: {error.strerror}") from None

    def _found(self) -> dict[tuple[str, int], int]:
        """How far the topic was read: as stands beside the file, and in the lines that came after."""
        said = self._beside_it()
        positions = {(topic, partition): at for topic, partition, at in said.get("positions", ())}
        length = os.fstat(self._fd).st_size
        whole = said["bytes"] if said["bytes"] <= length else 0
        with self._path.open("rb") as file:
            file.seek(whole)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # torn by a kill: its record comes again
                whole += len(line)
                place, at = self._place_of(line)
                if place is not None:
                    positions[place] = max(at + 1, positions.get(place, 0))
        if whole < length:
            os.ftruncate(self._fd, whole)
        return positions

    def _beside_it(self) -> dict[str, Any]:
        try:
            said: dict[str, Any] = json.loads(self._beside.read_text("utf-8"))
        except FileNotFoundError:
            return {"bytes": 0}
        except (OSError, ValueError):
            raise Fatal(f"{self._beside}: expected the position of {self._path.name}, and it cannot be read") from None
        if said.get("force") != self._force:
            raise Rejected(
                "bad-file",
                f"{self._path}: expected the feedback of {self._force}, found another's",
                remedy="name another",
            )
        return said

    def _place_of(self, line: bytes) -> tuple[tuple[str, int] | None, int]:
        """Where the record of a line stands in Kafka; None: it is about none."""
        try:
            said = json.loads(line)
            if "lost" in said:
                return None, 0
            read = said["read_at"]
            return (read["topic"], read["partition"]), read["offset"]
        except (ValueError, KeyError, TypeError):
            raise Rejected(
                "bad-file", f"{self._path}: expected lines that huecry feedback wrote, and this file holds others"
            ) from None


def _open(path: Path) -> int:
    """The file, for this process alone."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o660)
    except OSError as error:
        raise Rejected("bad-file", f"{path}: cannot be opened: {error.strerror}", remedy="name another") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise Rejected("bad-file", f"{path}: another process writes to this file", remedy="end it") from None
    return fd


def _line(one: Told) -> bytes:
    return _with_place(one.as_json(), one.record.topic, one.record.partition, one.record.offset)


def _line_of_refused(refused: SetAside) -> bytes:
    said = {"set_aside": {"reason": refused.reason, "detail": refused.detail, "remedy": refused.remedy}}
    record = refused.record
    value = None if record.value is None else record.value.hex()
    text = json.dumps({**said, "value": value}, ensure_ascii=False, separators=(",", ":"))
    return _with_place(text, record.topic, record.partition, record.offset)


def _with_place(text: str, topic: str, partition: int, offset: int) -> bytes:
    """A JSON object on one line, and in it where its record stands."""
    place = json.dumps({"topic": topic, "partition": partition, "offset": offset}, separators=(",", ":"))
    return f'{text[:-1]},"read_at":{place}}}\n'.encode()


def _later(new: Positions, old: Positions) -> Mapping[tuple[str, int], int]:
    return {place: at for place, at in new.items() if at > old.get(place, -1)}
