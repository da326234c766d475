"""CSV and JSON Lines files as a source, read once to their end or followed while they grow.

A position is the byte after a record and a digest of everything before it. So a file that has only grown goes on where
it was; one that has been replaced is read from its first record, and the spool knows what it has seen by event key.
The same digest with the line makes ``digest_and_line``: it names a record by the content of its file up to and with it,
whatever the file is called and however much is appended later.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from io import StringIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from producers.sources.source import SourceRecord
from schemas.errors import Rejected, Unavailable
from schemas.ops.logs import get_logger

LARGEST_RECORD_BYTES: Final = 512 * 1024
"""Text in quotes that never end would otherwise swallow the rest of a file."""
_CHUNK: Final = 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_log = get_logger()


class FileSource:
    """A file of records, one to a line, or in CSV one to several lines where a quoted text runs on.

    In a file that is followed, a last line without its end is still being written, and left for later.
    """

    def __init__(
        self, path: Path, *, kind: str, delimiter: str = ",", encoding: str = "utf-8", follow: bool = False
    ) -> None:
        self._path = path.resolve()
        self._is_csv = kind == "csv"
        self._delimiter = delimiter
        self._encoding = encoding
        self._follow = follow
        self._file: BinaryIO | None = None
        self._digest = blake2b(digest_size=16)
        self._offset = self._line = 0
        self._header: tuple[str, ...] = ()
        self._ended = False

    @property
    def name(self) -> str:
        """The file, in full."""
        return f"file:{self._path}"

    @property
    def exhausted(self) -> bool:
        """Whether the end of the file was met; a file that is followed has none."""
        return self._ended

    def header(self) -> tuple[str, ...]:
        """The names of a CSV file's columns; empty for JSON Lines.

        Raises:
            Rejected: no such file, or a CSV file without a header.
        """
        if not self._is_csv:
            return ()
        with self._opened() as file:
            return self._parse_header(file.readline(LARGEST_RECORD_BYTES))

    def resume(self, position: str | None) -> None:
        """Go on after a position, or from the first record if there is none or the file is another one now."""
        self._file = self._opened()
        try:
            self._resume(position)
        except BaseException:
            self.close()
            raise

    def _resume(self, position: str | None) -> None:
        if position is not None and self._is_still_there(json.loads(position)):
            return
        if position is not None:
            _log.warning("source file was replaced: read from its first record, known records are passed over")
        file = self._reading()
        file.seek(0)
        self._digest, self._offset, self._line = blake2b(digest_size=16), 0, 0
        if self._is_csv:
            header = file.readline(LARGEST_RECORD_BYTES)
            self._header = self._parse_header(header)
            self._advance(header)

    def read(self, most: int) -> Sequence[SourceRecord]:
        """The next records."""
        records: list[SourceRecord] = []
        while len(records) < most and not self._ended:
            lines = self._next_lines()
            if lines is None:
                self._ended = not self._follow
                if not records and self._follow and self._was_replaced():
                    self.close()
                    self.resume(None)
                break
            first_line = self._line + 1
            self._advance(*lines)
            if any(line.strip() for line in lines):
                records.append(self._record(b"".join(lines), first_line))
        return records

    def acknowledge(self, position: str) -> None:
        """Nothing to do: a file keeps what it has."""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise Rejected(
                "no-source", f"{self._path}: expected a file to read: {error.strerror}", remedy="check --source"
            ) from None

    def _is_still_there(self, position: Mapping[str, Any]) -> bool:
        file = self._reading()
        digest, left, header = blake2b(digest_size=16), int(position["offset"]), b""
        if self._is_csv:
            header = file.readline(LARGEST_RECORD_BYTES)[:left]
            digest.update(header)
            left -= len(header)
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
        if left or digest.hexdigest() != position["digest"]:
            return False
        if self._is_csv:
            self._header = self._parse_header(header)
        self._digest, self._offset, self._line = digest, int(position["offset"]), int(position["line"])
        return True

    def _was_replaced(self) -> bool:
        """Whether another file has the name now, or this one was emptied, as log rotation does."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False  # between the two steps of a rotation
        there = os.fstat(self._reading().fileno())
        return (now.st_dev, now.st_ino) != (there.st_dev, there.st_ino) or now.st_size < self._offset

    def _reading(self) -> BinaryIO:
        if self._file is None:
            raise Unavailable("the source is closed")
        return self._file

    def _advance(self, *lines: bytes) -> None:
        for line in lines:
            self._digest.update(line)
            self._offset += len(line)
            self._line += 1

    def _next_lines(self) -> list[bytes] | None:
        """The lines of the next record; None at the end, and where a followed file's last record is not whole yet."""
        file = self._reading()
        start = file.tell()
        lines = [file.readline(LARGEST_RECORD_BYTES)]
        while self._is_csv and lines[-1] and self._runs_on(lines):
            lines.append(file.readline(LARGEST_RECORD_BYTES))
        if not lines[0] or (self._follow and not lines[-1].endswith(b"\n")):
            file.seek(start)
            return None
        if self._is_csv and (not lines[-1] or sum(map(len, lines)) >= LARGEST_RECORD_BYTES):
            # A quote that never closes: the fault is the first line's, and the next may be whole.
            file.seek(start + len(lines[0]))
            return lines[:1]
        return lines

    def _runs_on(self, lines: list[bytes]) -> bool:
        if b'"' not in lines[0] or sum(map(len, lines)) >= LARGEST_RECORD_BYTES:
            return False
        if len(lines) > 1 and b'"' not in lines[-1]:
            return True  # a quote that was open still is
        try:
            self._fields(b"".join(lines).decode(self._encoding, errors="replace"))
        except csv.Error as error:
            return "unexpected end" in str(error)
        except Rejected:
            return False
        return False

    def _fields(self, text: str) -> list[str]:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=self._delimiter, strict=True))
        if len(rows) != 1:
            raise Rejected("bad-record", "expected one record to a line (lines end with a line feed)")
        return rows[0]

    def _parse_header(self, raw: bytes) -> tuple[str, ...]:
        try:
            names = tuple(name.strip() for name in self._fields(raw.removeprefix(_BOM).decode(self._encoding)))
        except (UnicodeDecodeError, csv.Error, Rejected):
            names = ()
        if not all(names) or len(set(names)) != len(names) or not names:
            raise Rejected(
                "bad-source",
                f"{self._path}: expected a first line with the names of the columns, all different, in "
                f"{self._encoding}, {self._delimiter!r} between them",
                remedy="see `source:` in docs/mapping.md",
            )
        return names

    def _record(self, raw: bytes, first_line: int) -> SourceRecord:
        columns: Mapping[str, Any] | None = None
        fault: Rejected | None = None
        try:
            text = raw.decode(self._encoding)
            columns = self._csv_columns(text, first_line) if self._is_csv else _json_columns(text, first_line)
        except Rejected as error:
            fault = error
        except UnicodeDecodeError:
            fault = Rejected("bad-record", f"line {first_line}: expected {self._encoding} text")
        digest = self._digest.hexdigest()
        return SourceRecord(
            position=json.dumps({"offset": self._offset, "line": self._line, "digest": digest}),
            where=f"line {first_line}",
            digest_and_line=f"{digest[:16]}-{first_line}",
            columns={"raw": raw.decode(self._encoding, errors="replace")} if columns is None else columns,
            fault=fault,
        )

    def _csv_columns(self, text: str, line: int) -> Mapping[str, Any]:
        try:
            fields = self._fields(text)
        except csv.Error as error:
            raise Rejected("bad-record", f"line {line}: expected CSV: {error}") from None
        if len(fields) != len(self._header):
            raise Rejected(
                "bad-record", f"line {line}: expected {len(self._header)} columns as in the header, {len(fields)} came"
            )
        return dict(zip(self._header, fields, strict=True))


def _json_columns(text: str, line: int) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Rejected("bad-record", f"line {line}: expected a JSON object on a line") from None
    if not isinstance(value, dict):
        raise Rejected("bad-record", f"line {line}: expected a JSON object, a {type(value).__name__} came")
    return value
