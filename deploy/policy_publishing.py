"""Publish, list and suspend policy: what a policy owner does on the policy topic.

Every change is a new version; nothing on the topic is ever altered. To undo one, publish the bundle of an earlier
version again under a new number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from deploy.policy_checks import check_known, check_members, check_rises, check_suspensions
from deploy.topic_reader import records_of
from routing.agreements.bundle import Bundle
from routing.agreements.model import Suspension
from routing.policy_topic import bundle_of, policy_key, version_of
from schemas.errors import Rejected, Unavailable
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import largest_batch_bytes, policy_topic

_PUBLISH_S: Final = 15.0
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Published:
    """One version on the policy topic."""

    version: int
    at: datetime
    value: bytes
    offset: int

    def bundle(self) -> Bundle:
        """The bundle it holds.

        Raises:
            Rejected: this release cannot read it.
        """
        return bundle_of(self.value, self.version)

    def loadable(self) -> Bundle | None:
        """The bundle it holds, or None where this release cannot read it."""
        try:
            return self.bundle()
        except Rejected:
            return None


@dataclass(frozen=True, slots=True)
class PolicyDesk:
    """The policy topic of one exchange, read and written.

    Raises:
        Rejected: (reading) there is no policy topic.
        Unavailable: (reading, publishing) Kafka does not answer.
    """

    exchange: Exchange
    clients: ClientSettings

    def history(self) -> list[Published]:
        """Every version published, oldest first; one that did not rise counts for nothing and is left out."""
        versions: list[Published] = []
        for published in self._records():
            if not versions or published.version > versions[-1].version:
                versions.append(published)
        return versions

    def newest(self) -> Published | None:
        """The version in force, or about to be."""
        history = self.history()
        return history[-1] if history else None

    def find(self, version: int) -> Published:
        """One version.

        Raises:
            Rejected: it was never published.
        """
        history = self.history()
        for published in history:
            if published.version == version:
                return published
        told = f"the versions are {_listed(history)}" if history else "none has been"
        raise Rejected("no-such-version", f"policy version {version} was never published; {told}")

    def earlier(self, bundle: Bundle) -> Published | None:
        """The version under which this very bundle was published, if it ever was."""
        return next((published for published in self.history() if published.value == bundle.to_bytes()), None)

    def publish(self, bundle: Bundle, *, lifting: frozenset[str] = frozenset()) -> Published:
        """Put a checked bundle in force.

        Args:
            bundle: what is to hold from now on.
            lifting: the agreements whose suspension this is meant to lift.

        Raises:
            Rejected: its version does not rise; it does not fit the exchange; it would lift a suspension that is not
                named in ``lifting``; somebody else published that version at the same moment; it is too large.
        """
        check_members(bundle, self.exchange)
        newest = self.newest()
        if newest is not None:
            check_rises(bundle, newest.version, newest.at)
            check_suspensions(bundle, newest.loadable(), lifting)
        return self._write(bundle)

    def suspend(self, agreement: str, *, who: str, why: str) -> Published:
        """Stop one agreement at once, by a new version that differs in this alone.

        Raises:
            Rejected: nothing is published yet, no such agreement, or it is suspended already.
        """

        def change(bundle: Bundle) -> Bundle:
            check_known(bundle, agreement)
            if earlier := bundle.suspension(agreement):
                raise Rejected("already-suspended", f"{agreement} is suspended already, by {earlier.who}")
            suspended = (*bundle.suspended, Suspension(agreement, who, why))
            return replace(bundle, suspended=tuple(sorted(suspended, key=lambda each: each.agreement)))

        return self._change(change, who)

    def resume(self, agreement: str, *, who: str) -> Published:
        """Lift the suspension of one agreement, by a new version that differs in this alone.

        Raises:
            Rejected: nothing is published yet, no such agreement, or it is not suspended.
        """

        def change(bundle: Bundle) -> Bundle:
            check_known(bundle, agreement)
            if bundle.suspension(agreement) is None:
                raise Rejected("not-suspended", f"{agreement} is not suspended under policy version {bundle.version}")
            return replace(bundle, suspended=tuple(each for each in bundle.suspended if each.agreement != agreement))

        return self._change(change, who)

    def restore(self, version: int, *, who: str) -> Published:
        """Put the bundle of an earlier version in force again, under a new number; suspensions stay as they are now.

        Raises:
            Rejected: no such version, or it is the one in force.
        """
        then = self.find(version).bundle()

        def change(now: Bundle) -> Bundle:
            if version == now.version:
                raise Rejected("in-force", f"policy version {version} is the one in force")
            known = {agreement.id for agreement in then.agreements}
            return replace(then, suspended=tuple(each for each in now.suspended if each.agreement in known))

        return self._change(change, who)

    def _change(self, change: Callable[[Bundle], Bundle], who: str) -> Published:
        """Publish the newest bundle with one change; anew if somebody else publishes at the same moment."""
        for attempt in range(_ATTEMPTS):
            newest = self.newest()
            if newest is None:
                raise Rejected("no-policy", f"no policy has been published for {self.exchange.exchange} yet")
            changed = replace(change(newest.bundle()), version=newest.version + 1, published_by=who)
            try:
                return self._write(changed)
            except Rejected as why:
                if why.reason != "overtaken" or attempt + 1 == _ATTEMPTS:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _records(self) -> Iterator[Published]:
        for message in records_of(self.clients, policy_topic()):
            version = version_of(message.key(), self.exchange.exchange)
            if version is not None:
                _, at_ms = message.timestamp()
                at = datetime.fromtimestamp(at_ms / 1000, UTC)
                yield Published(version, at, message.value() or b"", message.offset() or 0)

    def _write(self, bundle: Bundle) -> Published:
        value = bundle.to_bytes()
        offset = self._produce(policy_key(self.exchange.exchange, bundle.version), value)
        # Two owners may publish at the same moment: what stands first under a version is that version.
        published = self.find(bundle.version)
        if published.offset != offset:
            raise Rejected(
                "overtaken",
                f"somebody else published policy version {bundle.version} at the same moment, and theirs holds",
                remedy="read theirs with huecry agreements history, and publish yours under a higher version",
            )
        return published

    def _produce(self, key: bytes, value: bytes) -> int:
        most = largest_batch_bytes("single", self.exchange.limits)
        settings = {"message.max.bytes": most, "message.timeout.ms": int(_PUBLISH_S * 1000), "log_level": 0}
        producer = Producer(self.clients.producer_config(self.exchange.limits, **settings))
        told: list[tuple[KafkaError | None, int]] = []

        def on_delivery(error: KafkaError | None, message: Message) -> None:
            told.append((error, message.offset() or 0))

        try:
            producer.produce(policy_topic(), value, key, 0, on_delivery=on_delivery)
        except KafkaException as error:
            raise _refused(error.args[0], len(value), most) from None
        producer.flush(_PUBLISH_S + 5)
        if not told:
            raise Unavailable(f"no Kafka at {self.clients.bootstrap} took the policy: it is not known whether it will")
        refusal, offset = told[0]
        if refusal is not None:
            raise _refused(refusal, len(value), most)
        return offset


def _refused(error: KafkaError, size: int, most: int) -> Rejected | Unavailable:
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return Rejected("too-large", f"the bundle has {size:,} bytes, and the policy topic takes {most:,}")
    if error.retriable() or error.code() in {KafkaError._MSG_TIMED_OUT, KafkaError._TIMED_OUT}:  # noqa: SLF001
        return Unavailable(f"Kafka did not take the policy ({error.name()}): try again")
    return Rejected("refused", f"Kafka refused the policy: {error.name()}")


def _listed(history: list[Published]) -> str:
    return ", ".join(str(published.version) for published in history[-10:])
