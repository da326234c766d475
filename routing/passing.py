"""Deadlines acted on, in transactions of their own: cases escalate and lapse, origins hear who has not answered."""

from __future__ import annotations

import time
from functools import cache
from typing import Final

from routing.account import account_of_time
from routing.effects import Effects, Policy
from routing.elapsed import elapsed
from routing.session import Session
from routing.state.incident import moment_of
from routing.timekeeping import Due, Timekeeper
from routing.transactions import Aborted, Indefinite, TransactionalProducer
from schemas.codec import EventCodec
from schemas.errors import Fatal, Unavailable
from schemas.exchange import Exchange
from schemas.ops.logs import get_logger
from schemas.topics import rulings_topic

log = get_logger()

_AGAIN_S: Final = 30.0
"""After which an incident is tried again whose deadline could not be acted on."""


class Passing:
    """Acts on deadlines of one session's partitions. Not for threads."""

    def __init__(self, session: Session, exchange: Exchange) -> None:
        self._session = session
        self._timekeeper = Timekeeper(session, session.clock, exchange)
        self._failed: dict[tuple[int, bytes], float] = {}
        """Incidents that are to be left alone until a time, by partition and key."""

    def has_due(self) -> bool:
        """Whether anything is due, as of the last commit that is known to have happened."""
        if not self._due():
            return False
        self._timekeeper.look_again()
        return True

    def turn(self, policy: Policy, unwritable: frozenset[str]) -> None:
        """Act on what is due, if anything is. Not while a commit is on its way.

        Raises:
            Fatal: a fresh worker must take over.
        """
        if due := self._due():
            try:
                self._transact(due, policy, unwritable)
            except (Aborted, Unavailable):
                pass  # they are still due, and looked at again at once
            except Indefinite:
                self._session.rewind()
            except Fatal:
                raise
            except Exception:
                log.exception("deadlines could not be acted on", incidents=len(due))
                self._set_apart(due)

    def _due(self) -> list[Due]:
        now = time.monotonic()
        found = self._timekeeper.due(self._session.recollection.agendas())
        return [each for each in found if self._failed.get(each[:2], 0.0) <= now]

    def _transact(self, due: list[Due], policy: Policy, unwritable: frozenset[str]) -> None:
        session = self._session
        producer = session.begin()
        try:
            passed = self._produce(due, policy, unwritable, producer)
            if passed:
                producer.produce(*session.recollection.changes())
        except BaseException:
            session.abort()
            raise
        if not passed:
            session.abort()
            return
        places = {(rulings_topic(_origin(each)), each.partition) for each, _ in passed}
        session.commit((), at=sorted(places))
        account_of_time([(_origin(each), effects) for each, effects in passed])

    def _produce(
        self, due: list[Due], policy: Policy, unwritable: frozenset[str], producer: TransactionalProducer
    ) -> list[tuple[Due, Effects]]:
        recollection, reread = self._session.recollection, self._session.rereading.event_at
        passed = []
        for each in due:
            known = recollection.known_of(each.partition, reread)
            now, by = self._session.clock.now(), moment_of(each.by_ms)
            effects = elapsed(each.key, each.partition, policy, now, _codec(), known, by)
            if effects is None or effects.write_any_of(unwritable):
                continue
            producer.produce(*effects.outputs)
            recollection.remember_others(each.partition, effects)
            passed.append((each, effects))
        return passed

    def _set_apart(self, due: list[Due]) -> None:
        """One incident whose deadline cannot be acted on must not hold up the others'."""
        if len(due) > 1:
            # Found by trying each alone, from the next turn on.
            self._failed |= {each[:2]: time.monotonic() + number * 0.1 for number, each in enumerate(due)}
        else:
            self._failed[due[0][:2]] = time.monotonic() + _AGAIN_S


def _origin(due: Due) -> str:
    return due.key.partition(b"/")[0].decode()


@cache
def _codec() -> EventCodec:
    return EventCodec()
