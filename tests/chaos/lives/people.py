"""What people make of what they are shown: desks rule on cases, members answer deliveries, each as a seed has it.

Some rule in time and some around the deadline, some twice and some not at all; some answer on another partition than
the delivery came by, as clients do that choose their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.chaos.lives.exchange import PEOPLE

Case = Mapping[str, Any]
Delivery = Mapping[str, Any]


@dataclass(frozen=True)
class Saying:
    """A ruling to be made."""

    after_s: float
    kind: str
    incident: str
    role: str
    recipients: tuple[str, ...]
    seen_sequence: int
    astray: bool = False
    """It is sent to another partition than its incident's."""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def person(self) -> str:
        """Who holds the role."""
        return PEOPLE[self.role]


@dataclass(frozen=True)
class Answering:
    """An answer to be given."""

    after_s: float
    kind: str
    delivery: Delivery
    by_role: str | None = None
    cause: str | None = None
    astray: bool = False


def rulings_on(seed: int, case: Case) -> Iterator[Saying]:
    """What a desk says once it is shown a case: of each line that was opened or has escalated."""
    for notice in case["notices"]:
        if notice["kind"] not in ("opened", "escalated"):
            continue
        chance = Random(f"{seed}/{case['record_id']}/{notice['recipient']}/{notice['rule']}")
        (does,) = chance.choices(("release", "refuse", "all", "late", "nothing"), (35, 15, 10, 10, 30))
        if does == "nothing":
            continue
        seen = {"incident": case["incident_id"], "seen_sequence": case["sequence"], "role": notice["role"]}
        to = tuple(sorted({line["recipient"] for line in case["lines"]})) if does == "all" else (notice["recipient"],)
        after_s = chance.uniform(270, 330) if does == "late" else chance.choice((0.0, chance.uniform(5, 250)))
        kind = "refuse" if does == "refuse" else "release"
        yield Saying(after_s, kind, recipients=to, astray=chance.random() < 0.05, **seen)


def once_told(seed: int, news: Mapping[str, Any], latest: int | None) -> Iterator[Saying]:
    """What a desk says once it was told something: after a refusal or lapse some ask again; who was late looks again.

    Args:
        seed: of the run.
        news: a Feedback.
        latest: the sequence of the incident's latest event that the desk was shown; None: none.
    """
    (entry,) = news["entries"][:1] or ({"incident_id": ""},)
    chance = Random(f"{seed}/{news['feedback_id']}")
    if latest is None:
        return
    if news["kind"] in ("LAPSED", "REFUSED") and news["member"] and chance.random() < 0.3:
        incident, role = entry["incident_id"], chance.choice([*PEOPLE])
        yield Saying(chance.uniform(1, 60), "ask-again", incident, role, (news["member"],), latest)


def answers_to(seed: int, delivery: Delivery) -> Iterator[Answering]:
    """What a member says to a delivery besides that it has it."""
    terms, event = delivery["disclosure"], delivery["event"]
    chance = Random(f"{seed}/{terms['delivery_id']}")
    astray = chance.random() < 0.05
    match terms["action"]:
        case "RETRACT":
            yield from _given_back(chance, delivery, astray)
        case "WITHDRAW":
            if chance.random() < 0.8:
                yield Answering(_soon(chance, 300), "erased", delivery, astray=astray)
        case "CORRECT":
            if chance.random() < 0.6:
                yield Answering(_soon(chance, 300), "accepted", delivery, "dispatcher", astray=astray)
        case "SHARE" if event["kind"] in ("TRANSFER", "ASSISTANCE") and terms["addressed_to_you"]:
            yield from _asked(chance, delivery, astray)
        case _:
            pass


def _given_back(chance: Random, delivery: Delivery, astray: bool) -> Iterator[Answering]:
    if chance.random() < 0.9:
        yield Answering(chance.uniform(0, 20), "erased", delivery)
    if chance.random() < 0.2:
        yield Answering(chance.uniform(0, 100), "acted-upon", delivery, _RECORDS)
    if chance.random() < 0.7:
        kind = delivery["disclosure"]["ask"].replace("erase", "erased").replace("restrict", "restricted")
        yield Answering(_soon(chance, 300), kind, delivery, _RECORDS, astray=astray)


_RECORDS: Final = "records-manager"


def _asked(chance: Random, delivery: Delivery, astray: bool) -> Iterator[Answering]:
    (does,) = chance.choices(("accepted", "rejected", "nothing"), (40, 25, 35))
    if does == "nothing":
        return
    cause = "no-resource" if does == "rejected" else None
    for _ in range(1 if chance.random() < 0.9 else 2):
        yield Answering(_soon(chance, 120), does, delivery, "dispatcher", cause, astray)


def _soon(chance: Random, limit_s: float) -> float:
    """Mostly within the limit, sometimes around it, sometimes well after."""
    (when,) = chance.choices(("soon", "around", "late"), (6, 2, 1))
    spans = {"soon": (0.0, limit_s * 0.7), "around": (limit_s * 0.9, limit_s * 1.1), "late": (limit_s, limit_s * 2.5)}
    return chance.uniform(*spans[when])
