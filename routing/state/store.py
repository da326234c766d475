"""What one partition remembers, on disk: RocksDB, with the position of the changelog that it stands for.

Only what is committed is ever written. Data and position go into one write, so whatever a crash leaves is what the
changelog said up to some position at or after the one that stands beside it; reading on from there mends the rest.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DbClosedError,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
)

from schemas.errors import Fatal, Unavailable
from schemas.ops.logs import get_logger

log = get_logger()

_POSITION_KEY: Final = b"\x00position"
_FIRST_KEY: Final = b"\x01"
"""Before the key of anything remembered, and after the position's."""
_POSITION: Final = struct.Struct(">qq")
_MIB: Final = 1024 * 1024
_OPEN_FILES: Final = 64


class Position(NamedTuple):
    """How far a store stands for its partition of the changelog: at least to here."""

    topic_id: str
    """Another topic of the same name is another."""
    offset: int
    """Everything before it is in the store."""
    at_ms: int
    """When that was known, in milliseconds since 1970."""


class Store(Protocol):
    """What one partition remembers: bytes by key, and a position."""

    def get(self, key: bytes) -> bytes | None:
        """What is remembered under a key."""

    def write(self, changes: Mapping[bytes, bytes | None], position: Position | None = None) -> None:
        """Write changes (None: forget) and, if given, a new position, all at once."""

    def position(self) -> Position | None:
        """How far the store stands for the changelog; None: it is new."""

    def after(self, key: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """So many keys after this one (``b""``: from the first) in order, with what is remembered under each."""

    def clear(self) -> None:
        """Forget everything, the position too."""

    def close(self) -> None:
        """Let others open it."""


class StoreMemory:
    """The memory that all stores of a process share: so much for blocks that were read, and as much for new writes."""

    def __init__(self, most_mb: int) -> None:
        self._cache = Cache(most_mb * _MIB // 2)
        self._writes = WriteBufferManager(most_mb * _MIB // 2, allow_stall=False)

    def options(self) -> Options:
        """Of one store."""
        options = Options(raw_mode=True)
        options.create_if_missing(True)  # noqa: FBT003  the binding takes no names
        options.set_block_based_table_factory(self._blocks())
        options.set_write_buffer_manager(self._writes)
        options.set_write_buffer_size(8 * _MIB)
        options.set_max_total_wal_size(64 * _MIB)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_max_open_files(_OPEN_FILES)
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(_MIB)
        options.set_stats_dump_period_sec(0)
        return options

    def _blocks(self) -> BlockBasedOptions:
        """Index and filters in small blocks within the cache: whole ones of a large store would crowd all else out."""
        blocks = BlockBasedOptions()
        blocks.set_block_cache(self._cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_pin_top_level_index_and_filter(True)
        blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
        blocks.set_partition_filters(True)
        blocks.set_metadata_block_size(4_096)
        blocks.set_bloom_filter(10, False)  # noqa: FBT003
        blocks.set_format_version(5)
        return blocks


class DiskStore:
    """A store in a folder of its own, which no other process may have open."""

    def __init__(self, folder: Path, memory: StoreMemory) -> None:
        """Open it, or make it; what cannot be read is thrown away: the changelog has it all.

        Raises:
            Unavailable: another process has it open.
            Fatal: the folder cannot be written.
        """
        self._folder = folder
        self._memory = memory
        self._database = self._open()

    def get(self, key: bytes) -> bytes | None:
        """What is remembered under a key.

        Raises:
            Fatal: the disk cannot be read; then no record is at fault.
        """
        try:
            found: bytes | None = self._database.get(key)
        except Exception as error:  # noqa: BLE001  rocksdict raises nothing more special
            raise Fatal(f"what routing remembers cannot be read from {self._folder}: {error}") from None
        return found

    def write(self, changes: Mapping[bytes, bytes | None], position: Position | None = None) -> None:
        """Write changes and a new position at once.

        Raises:
            Fatal: the disk does not take it; what was not written is in the changelog.
        """
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        if position is not None:
            batch.put(_POSITION_KEY, _position_bytes(position))
        try:
            self._database.write(batch)
        except Exception as error:  # noqa: BLE001  rocksdict raises nothing more special
            raise Fatal(f"what routing remembers cannot be written to {self._folder}: {error}") from None

    def position(self) -> Position | None:
        """How far the store stands for the changelog; None: it is new."""
        value = self._database.get(_POSITION_KEY)
        return None if value is None else _position_of(value)

    def after(self, key: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """So many keys after this one in order, with what is remembered under each."""
        walk = self._database.iter()
        walk.seek(key + b"\x00" if key else _FIRST_KEY)
        found: list[tuple[bytes, bytes]] = []
        while len(found) < most and walk.valid():
            found.append((walk.key(), walk.value()))
            walk.next()
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._database.close()
        self._remove()
        self._database = self._open()

    def close(self) -> None:
        """Let others open it; the second time does nothing."""
        with suppress(DbClosedError):
            self._database.close()

    def _open(self) -> Any:  # noqa: ANN401  rocksdict's types are not told
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Fatal(f"what routing remembers has no place at {self._folder}: {error.strerror}") from None
        try:
            return Rdict(str(self._folder), self._memory.options())
        except Exception as error:  # noqa: BLE001  rocksdict raises nothing more special
            _raise_if_open_elsewhere(error, self._folder)
            log.warning("what routing remembers on disk cannot be read and is made afresh", folder=str(self._folder))
        self._remove()
        try:
            return Rdict(str(self._folder), self._memory.options())
        except Exception as error:  # noqa: BLE001
            _raise_if_open_elsewhere(error, self._folder)
            raise Fatal(f"what routing remembers cannot be kept at {self._folder}: {error}") from None

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _raise_if_open_elsewhere(error: Exception, folder: Path) -> None:
    text = str(error)
    if "lock hold by current process" in text or "While lock file" in text:
        raise Unavailable(f"another process of this name remembers at {folder}: end it, or name this one otherwise")


def _position_bytes(position: Position) -> bytes:
    return _POSITION.pack(position.offset, position.at_ms) + position.topic_id.encode()


def _position_of(value: bytes) -> Position:
    offset, at_ms = _POSITION.unpack_from(value)
    return Position(value[_POSITION.size :].decode(), offset, at_ms)
