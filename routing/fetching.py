"""Records as they are fetched: several clients, each of some of the topics, each in a thread of its own.

A fetch names every partition that its client has, and the broker looks at each of them again whenever one gets a
record: a client of 60 members' inputs, hundreds of partitions, spent far more on asking than on what came, and every
event waited for it. So the topics are dealt out among some clients. None of them is a member of the group: the
session's own consumer is, and fetches nothing. Which partitions are fetched, and from where, is said once; whoever gets
others, or must go back, makes this anew, so nothing that was fetched before can be taken for what is fetched now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from routing.effects import Record
from routing.intake import Place

Setting = str | int | float | bool
Fetched = Sequence[Record | KafkaError] | Exception
"""What one look brought: records and errors in order; or why there will be no other."""

TOPICS_EACH: Final = 8
CLIENTS_MOST: Final = 8
_AT_ONCE: Final = 1_000
_AHEAD: Final = 8
"""Looks of one client that may wait to be taken: enough that the few of others come out from behind a flood; and no
more, since memory must not fill while Kafka keeps a commit waiting."""
_LOOK_S: Final = 0.25
_LOOK_PAUSED_S: Final = 0.01
"""How long a look takes while something is paused, since nothing is resumed during one."""
_END_S: Final = 10.0


class Fetching:
    """Fetches some partitions from some offsets on, until it is stopped. `take` and what follows are for one thread."""

    def __init__(
        self,
        config: Mapping[str, Setting],
        starts: Iterable[TopicPartition],
        taken_ms: Callable[[int], int] = lambda broker_ms: broker_ms,
    ) -> None:
        """Begin.

        Args:
            config: of each client.
            starts: the partitions, each with the offset of the first record that is wanted.
            taken_ms: when the broker took a record, by the router's clock (`clock.Clock.taken_ms`).
        """
        self._queue: SimpleQueue[tuple[_Client | None, Fetched]] = SimpleQueue()
        shares = dealt_out(starts)
        self._clients = [_Client(config, share, self._queue, taken_ms) for share in shares]
        self._client_of = {
            (place.topic, place.partition): client
            for client, share in zip(self._clients, shares, strict=True)
            for place in share
        }
        for client in self._clients:
            client.start()

    def take(self, wait_s: float) -> Sequence[Record | KafkaError]:
        """What one look of one client brought; nothing, if nothing comes within the time.

        Raises:
            Exception: whatever ended the thread of a client.
        """
        try:
            client, fetched = self._queue.get(wait_s > 0, wait_s or None)
        except Empty:
            return ()
        if client is None:
            return ()
        if isinstance(fetched, Exception):
            raise fetched
        client.ahead.release()
        return fetched

    def wake(self) -> None:
        """End the wait of whoever waits in `take`, or of who does so next. For any thread."""
        self._queue.put((None, ()))

    def pause(self, places: Iterable[Place]) -> None:
        """Fetch nothing of these partitions until they are resumed."""
        for client, share in self._by_client(places).items():
            client.wish(share, paused=True)

    def resume(self, places: Iterable[Place]) -> None:
        """Fetch these partitions again."""
        for client, share in self._by_client(places).items():
            client.wish(share, paused=False)

    def stop(self) -> None:
        """Fetch no more; the threads end soon, and what they still bring is heard by nobody."""
        for client in self._clients:
            client.stop.set()
            client.ahead.release()

    def close(self) -> None:
        """Stop, and wait for the end of it."""
        self.stop()
        for client in self._clients:
            client.join(_END_S)

    def _by_client(self, places: Iterable[Place]) -> dict[_Client, list[Place]]:
        found: dict[_Client, list[Place]] = {}
        for place in places:
            found.setdefault(self._client_of[place], []).append(place)
        return found


def dealt_out(starts: Iterable[TopicPartition]) -> list[list[TopicPartition]]:
    """Partitions shared out among as few clients as do: all of one topic to the same, topics evenly."""
    by_topic: dict[str, list[TopicPartition]] = {}
    for place in starts:
        by_topic.setdefault(place.topic, []).append(place)
    topics = [by_topic[topic] for topic in sorted(by_topic)]
    clients = min(CLIENTS_MOST, -(-len(topics) // TOPICS_EACH))
    return [[place for topic in topics[number::clients] for place in topic] for number in range(clients)]


class _Client(Thread):
    """One client of librdkafka's, and who waits for what it fetches.

    Nobody else calls it: confluent-kafka 2.16 lets one call wait for another on the same client, and `pause` waits
    with Python's lock in its hand, which the other needs to come to an end.
    """

    def __init__(
        self,
        config: Mapping[str, Setting],
        share: list[TopicPartition],
        queue: SimpleQueue[tuple[_Client | None, Fetched]],
        taken_ms: Callable[[int], int],
    ) -> None:
        super().__init__(name="fetching", daemon=True)
        self._consumer = Consumer(dict(config))
        self._consumer.assign(share)
        self._wishes: SimpleQueue[tuple[list[Place], bool]] = SimpleQueue()
        self._paused: set[Place] = set()
        self.stop = Event()
        self.ahead = Semaphore(_AHEAD)
        self._queue = queue
        self._taken_ms = taken_ms

    def run(self) -> None:
        """Look, and put down what was found, until told to stop."""
        try:
            while not self.stop.is_set():
                self._do_what_is_wished()
                # Asked for many, it would wait for as many.
                if messages := self._consumer.consume(1, _LOOK_PAUSED_S if self._paused else _LOOK_S):
                    messages += self._consumer.consume(_AT_ONCE, 0)
                    self._queue.put((self, [_record(message, self._taken_ms) for message in messages]))
                    self.ahead.acquire()
        except Exception as error:  # noqa: BLE001  whatever it is, the worker must hear of it
            self._queue.put((self, error))
        finally:
            self._consumer.close()

    def wish(self, places: list[Place], *, paused: bool) -> None:
        """Have partitions paused or resumed, after the look that is under way. For any thread."""
        self._wishes.put((places, paused))

    def _do_what_is_wished(self) -> None:
        while not self._wishes.empty():
            places, paused = self._wishes.get()
            share = [TopicPartition(*place) for place in places]
            if paused:
                self._consumer.pause(share)
                self._paused.update(places)
            else:
                self._consumer.resume(share)
                self._paused.difference_update(places)


def _record(message: Any, taken_ms: Callable[[int], int]) -> Record | KafkaError:  # noqa: ANN401  hardly typed
    error: KafkaError | None = message.error()
    if error is not None:
        return error
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        taken_ms(message.timestamp()[1]),
    )
