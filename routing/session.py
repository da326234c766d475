"""One member of the group, who fetches, and two transactional producers: commit offsets with what follows from them.

The smallest honest interface (after franz-go's GroupTransactSession): `fetch` fills the intake, `commit` ends a batch.
Between being given partitions and `is_ready`, what is remembered of them is brought up to date.
Two producers are used in turn, one transaction open at a time: the second begins only after the first's commit has
returned, so partition order and offsets stay right, and it need not wait for the first's markers.

A commit can be begun and its outcome asked for later (`begin_commit`, `settle`): a thread of its own waits for the
broker, and meanwhile what was fetched can be routed, though nothing of it produced.

The group is heard only between transactions, so partitions are never given up inside one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from routing.clock import Clock, SystemClock
from routing.effects import Record
from routing.fetching import Fetching
from routing.heart import Heart
from routing.intake import Intake, Place
from routing.recollection import recollection
from routing.rereading import Rereading
from routing.settings import RouterSettings, fetching, joining, producing, state_folder
from routing.transactions import Aborted, TransactionalProducer
from schemas.errors import Fatal, HueCryError, Unavailable
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.ops.logs import get_logger
from schemas.topics import input_topics

log = get_logger()

_MOST_TAKES: Final = 16
_RESUME_AT: Final = 0.25
_ASK_TIMEOUT_S: Final = 5.0
_SETTLE_S: Final = 2.0


class _OnItsWay(NamedTuple):
    """A commit that was begun."""

    outcome: Future[None]
    ends: Mapping[Place, int]
    """The offsets that it commits."""


class Session:
    """A worker's membership of the routing group. Not for threads, except for `topics`."""

    def __init__(
        self,
        exchange: Exchange,
        settings: RouterSettings,
        slot: int,
        clients: ClientSettings,
        heart: Heart,
        clock: Clock | None = None,
    ) -> None:
        """Join the group; ``clock`` is the system's unless told."""
        self.clock = clock or SystemClock()
        self.intake = Intake()
        # A store of a partition's own for each worker that has had it: one that hangs, and holds its stores open, must
        # not keep whoever is given its partitions from routing.
        folder = state_folder(exchange.exchange, settings) / str(slot)
        self.recollection = recollection(clients, exchange.exchange, folder, settings.state_memory_mb)
        self._is_settled = False
        self._settings = settings
        self._heart = heart
        self._paused: set[Place] = set()
        self._assignment: list[TopicPartition] | None = None
        self._wrong_assignment = ""
        self._membership: Any = None
        self._next: dict[Place, int] = {}
        self._closing = False
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="committing")
        self._on_its_way: _OnItsWay | None = None
        self.tenure = 0
        """Goes up whenever nobody knows any more what was committed of the partitions: what was routed is void."""
        name = f"{exchange.exchange}.route.{settings.instance}.{slot}"
        config = clients.producer_config(exchange.limits, **producing(settings))
        self._producers = [
            TransactionalProducer(config, f"{name}.{turn}", heart, settings.slow_commit_ms / 1000) for turn in "ab"
        ]
        group = f"{exchange.exchange}.route"
        self.rereading = Rereading(clients, name, self.clock.taken_ms)
        self._fetching_config = clients.consumer_config(group, **fetching(settings, exchange))
        self._fetching: Fetching | None = None
        self._consumer = Consumer(clients.consumer_config(group, **joining(settings, name)))
        self._consumer.subscribe(
            list(input_topics(exchange)),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    @property
    def assigned(self) -> bool:
        """Whether the group has given this worker its partitions, be they none."""
        return self._assignment is not None

    @property
    def is_ready(self) -> bool:
        """Whether records may be routed: the worker has its partitions and remembers all that was committed of them."""
        return self.assigned and self.recollection.is_ready

    @property
    def waits_for(self) -> str:
        """What a session that is not ready waits for, in words."""
        if not self.assigned:
            return "waiting for partitions"
        return self.recollection.trouble or "reading what is remembered of its partitions"

    def fetch(self, timeout_s: float) -> None:
        """Hear the group, and move what has been fetched into the intake; wait only if there is nothing to route.

        Not while a commit is on its way: then `take_in`.

        Raises:
            Fatal: the group gave this worker partitions that do not meet in it.
        """
        wait = timeout_s if self.intake.idle and (self.is_ready or not self.assigned) else 0.0
        self._hear_the_group(0.0 if self.assigned else wait)
        self.take_in(wait)
        if self._wrong_assignment:
            raise Fatal(self._wrong_assignment)
        if self.assigned and not self.recollection.is_ready:
            self._recall()

    def take_in(self, wait: float) -> None:
        """Move what has been fetched into the intake; wait so many seconds for it, or until a commit is over."""
        # All that has been fetched, since others' few may stand behind one force's flood.
        for _ in range(_MOST_TAKES):
            # Before each look: where every partition is paused nothing comes until one is resumed.
            self._pause_and_resume()
            if self._fetching is None or not self._take_in(self._fetching.take(wait)):
                break
            wait = 0.0

    def begin(self) -> TransactionalProducer:
        """Open a transaction on the producer whose turn it is.

        Raises:
            Aborted: it could not be opened.
        """
        self._producers.reverse()
        try:
            self._producers[0].begin()
        except Aborted:
            self.recollection.aborted()
            raise
        return self._producers[0]

    def abort(self) -> None:
        """Undo everything since `begin`, and forget what followed from it."""
        self._producers[0].abort()
        self.recollection.aborted()

    def commit(self, batch: Iterable[Record], at: Iterable[Place] = ()) -> None:
        """Commit the open transaction with the offsets of a batch.

        Args:
            batch: the records that were routed in it.
            at: inputs whose present position is sent along: no transaction is without one, since that fences a zombie.

        Raises:
            Aborted, Unpassable, Indefinite: as `TransactionalProducer.commit`.
            Fatal: it is committed, and what it changes could not be written to disk: a fresh worker will read it.
        """
        self.begin_commit(batch, at)
        self.settle()

    def begin_commit(self, batch: Iterable[Record], at: Iterable[Place] = ()) -> None:
        """Have the open transaction committed with the offsets of a batch; `settle` tells how that ended.

        Until then no other may be begun; what is remembered meanwhile stands on what this one changes.
        """
        ends: dict[Place, int] = {place: self.position(place) for place in at}
        for record in batch:
            ends[record.topic, record.partition] = record.offset + 1
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in ends.items()]
        outcome = self._committer.submit(self._producers[0].commit, offsets, self._membership)
        self._on_its_way = _OnItsWay(outcome, ends)
        self.recollection.hand_over()
        if self._fetching is not None:
            fetching = self._fetching
            outcome.add_done_callback(lambda _outcome: fetching.wake())

    @property
    def is_committing(self) -> bool:
        """Whether a commit is on its way and has not come to its end."""
        return self._on_its_way is not None and not self._on_its_way.outcome.done()

    def settle(self) -> None:
        """Wait until the commit that is on its way, if one is, has come to its end, and see to what follows from that.

        Raises:
            Aborted, Unpassable, Indefinite, Fatal: as `commit`.
        """
        if self._on_its_way is None:
            return
        on_its_way, self._on_its_way = self._on_its_way, None
        try:
            on_its_way.outcome.result()
        except BaseException:
            self.recollection.aborted()
            raise
        self._next |= on_its_way.ends
        self.recollection.committed()

    def position(self, place: Place) -> int:
        """The offset of the next record of an input to be routed; 0: nothing of it has been."""
        return self._next.get(place, 0)

    def end(self, place: Place) -> int:
        """The offset after the last record of an input, as the broker has it now; 0: it holds none.

        Raises:
            Unavailable: it does not say.
        """
        try:
            with self._heart.call():
                start, end = self._consumer.get_watermark_offsets(TopicPartition(*place), _ASK_TIMEOUT_S, cached=False)
        except KafkaException as error:
            raise Unavailable(f"the end of {place[0]} cannot be seen: {error.args[0].name()}") from None
        return int(end) if end > start else 0

    def rewind(self) -> None:
        """Go back to the committed offsets, as if every partition were newly assigned: all is read anew."""
        self._forget()
        self._not_ready()

    def _recall(self) -> None:
        """Do some of what is left before what was committed of the partitions is remembered.

        First the committed offsets must be settled: while a predecessor's transaction is open, its changes may still
        be on their way to the changelog.
        """
        if not self._is_settled:
            try:
                with self._heart.call():
                    committed = self._consumer.committed(self._assignment or [], _SETTLE_S)
            except KafkaException as error:
                log.warning("committed offsets are not settled yet", kafka_error=error.args[0].name())
                return
            if any(place.error is not None for place in committed):
                return
            self._next = {(place.topic, place.partition): max(0, place.offset) for place in committed}
            self._is_settled = True
            self._fetching = Fetching(self._fetching_config, map(_start, committed), self.clock.taken_ms)
            self.recollection.begin({place.partition for place in self._assignment or ()})
        with self._heart.call():
            self.recollection.bring_up_to_date()

    def topics(self) -> frozenset[str]:
        """The topics that exist and can be seen.

        Raises:
            Unavailable: the broker does not answer.
        """
        # Not asked through the consumer: the answer would wait behind its long poll, and everybody's events with it.
        # Nor through the producer that may be committing.
        return self._producers[1].topics()

    def close(self) -> None:
        """Leave: what was not committed will be routed by whoever comes next."""
        self._closing = True
        try:
            self.settle()
        except HueCryError as error:
            log.warning("the last commit is not known to have happened", reason=type(error).__name__)
        self._committer.shutdown()
        for producer in self._producers:
            producer.close()
        if self._fetching is not None:
            self._fetching.close()
        # Dropped and not closed, since that can hang (`schemas.kafka.leave`). Nor does it leave: under its own name a
        # worker stays a member until its session times out, so that whoever replaces it gets the same partitions.
        del self._consumer
        self.rereading.close()
        self.recollection.close()

    def _hear_the_group(self, wait_s: float) -> None:
        """Be given partitions, or give them up; wait if there is nothing else to do."""
        message = self._consumer.poll(wait_s)
        if message is not None and (error := message.error()) is not None:
            _judge(error)

    def _take_in(self, fetched: Sequence[Record | KafkaError]) -> bool:
        """Put records into the intake; whether there was anything at all."""
        records = []
        for each in fetched:
            if isinstance(each, Record):
                records.append(each)
            else:
                _judge(each)
        if records:
            self._heart.kafka.answered()
            self.intake.add(records)
        return bool(fetched)

    def _pause_and_resume(self) -> None:
        """Keep one force's flood from filling the memory, and its fetches from crowding out the others'."""
        if self._fetching is None:
            return
        full = [place for place in self.intake.places() if place not in self._paused and self._fill(place) >= 1]
        drained = [place for place in self._paused if self._fill(place) <= _RESUME_AT]
        if full:
            self._fetching.pause(full)
            self._paused.update(full)
        if drained:
            self._fetching.resume(drained)
            self._paused.difference_update(drained)

    def _fill(self, place: Place) -> float:
        """How full the intake is of one partition: 1 is as much as may be."""
        records, size = self.intake.waiting(place), self.intake.waiting_bytes(place)
        return max(records / self._settings.fetched_most, size / self._settings.fetched_most_bytes)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._closing:
            return
        self._forget()
        self._assignment = partitions
        self._wrong_assignment = split_assignment(partitions)
        self._not_ready()
        # The member itself fetches nothing.
        consumer.assign([])
        # Kept, and not asked for at each commit: librdkafka forgets its generation in the background when it is thrown
        # out of the group, and a commit without one is a commit that the broker does not fence.
        self._membership = consumer.consumer_group_metadata()

    def _on_revoke(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._forget()
        self._assignment = None
        self._not_ready()

    def _not_ready(self) -> None:
        """Nobody knows what was committed of its partitions until it has been asked and read."""
        self._is_settled = False
        self.tenure += 1
        self.recollection.end()
        self._heart.set_ready(ready=False)

    def _forget(self) -> None:
        """What was fetched is no longer ours, or will be fetched again."""
        if self._fetching is not None:
            self._fetching.stop()
            self._fetching = None
        self.intake.drop([(place.topic, place.partition) for place in self._assignment or ()])
        self._paused.clear()


def _start(committed: TopicPartition) -> TopicPartition:
    """Where to fetch from: the first record that is not committed."""
    at = committed.offset if committed.offset >= 0 else OFFSET_BEGINNING
    return TopicPartition(committed.topic, committed.partition, at)


def split_assignment(partitions: Iterable[TopicPartition]) -> str:
    """What is wrong if partition n of every input does not meet in one process; empty if it does."""
    by_topic: dict[str, set[int]] = {}
    for place in partitions:
        by_topic.setdefault(place.topic, set()).add(place.partition)
    if len({frozenset(numbers) for numbers in by_topic.values()}) <= 1:
        return ""
    return (
        "expected the same partition numbers of every input topic, and the group gave different ones: "
        "input topics must all have the partitions of exchange.yaml (huecry provision plan shows which do not)"
    )


def _judge(error: KafkaError) -> None:
    """Go on after what librdkafka mends by itself; stop at what it does not.

    Raises:
        Fatal: the consumer cannot go on.
    """
    # A consumer that was fenced says only _FATAL, and not even that it is fatal; it would never fetch again.
    if error.fatal() or error.code() in (KafkaError._FATAL, KafkaError._FENCED, KafkaError.FENCED_INSTANCE_ID):  # noqa: SLF001
        raise Fatal(f"the consumer cannot go on: {error.name()}")
    log.warning("fetch error", kafka_error=error.name())
