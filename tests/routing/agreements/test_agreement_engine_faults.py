"""That the engine is compared with the interpreter would notice: faults planted in each of its parts are found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from routing.agreements import Considered, engine, reasons, said, tables
from routing.agreements.evaluate import Evaluator, _NullIsNone
from routing.agreements.masks import Hits, Pair, Slot
from routing.agreements.named import Named
from routing.agreements.parting import partition
from routing.agreements.personal import PersonalRules
from routing.agreements.said import Matched
from routing.agreements.state import FIRST_EVENT
from routing.agreements.tables import Regions
from tests.routing.agreements.test_agreement_engine import run

DECISIONS: Final = 4_000
_MATCHED: Final = Evaluator._matched
_PERSONAL: Final = PersonalRules.evaluate
_REGION_HITS: Final = Regions.hits
_CODE_HITS: Final = tables._code_hits
_ONWARD: Final = reasons._onward


def _without_doubt(*asked: Any, **more: Any) -> Matched:
    matched = _MATCHED(*asked, **more)
    return Matched(matched.rules, 0, matched.possible)


def _without_history(self: Evaluator, event: Considered, _history: Any) -> Pair:
    true = open_ = self.rulebook.all_blocks
    for look_up, value in zip(self._look_ups, self._read(event), strict=True):
        true, open_ = true & look_up(value)[0], open_ & look_up(value)[1]
    return self._with_present_category(Pair(true, open_), event)


def _nothing_partly(self: Regions, slot: Slot, value: Any) -> Hits:
    places, measured = value
    return _REGION_HITS(self, slot, (tuple(replace(place, partly=frozenset()) for place in places), measured))


def _nobody_holds(self: PersonalRules, blocks: Pair, event: Considered, _state: Any, *more: Any, **rest: Any) -> Any:
    return _PERSONAL(self, blocks, event, FIRST_EVENT, *more, **rest)


PLANTED: Final[dict[str, tuple[Any, str, Any]]] = {
    "doubt is not told": (Evaluator, "_matched", _without_doubt),
    "the opening category is not read": (
        Evaluator,
        "_with_categories",
        lambda self, blocks, event, _history: self._with_present_category(blocks, event),
    ),
    "history is not read": (Evaluator, "_remembered", _without_history),
    "who holds the incident is not asked": (PersonalRules, "evaluate", _nobody_holds),
    "how long ago the incident closed is not asked": (Named, "ages", lambda *_asked: None),
    "what people ruled is not asked": (engine, "is_ruled", lambda _state: False),
    "a place that is partly in is out": (Regions, "hits", _nothing_partly),
    "a code above a value leaves nothing open": (tables, "_code_hits", lambda *asked: Hits(_CODE_HITS(*asked).true, 0)),
    "what an origin never states is unknown": (_NullIsNone, "__missing__", lambda self, value: self._table[value]),
    "events that rules tell apart are taken for one": (Evaluator, "reads", ("mode",)),
    "only one part of the recipients is decided for": (engine, "partition", lambda *asked: partition(*asked)[:1]),
    "an invitation waits for a grant": (said, "_INVITED", said._ASKED),
    "what is stopped refers": (
        reasons.Reasons,
        "_as_matched",
        lambda _self, _number, each: each.told("refer", turned_on_unknown=False),
    ),
    "retention is always ninety days": (reasons, "_retain_days", lambda *_asked: 90),
    "limits of onward use are not heard": (reasons, "_onward", lambda granting, _limits: _ONWARD(granting, [])),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_fault_in_the_engine_is_found(fault: str, monkeypatch: pytest.MonkeyPatch):
    where, name, instead = PLANTED[fault]
    monkeypatch.setattr(where, name, instead)
    with pytest.raises(AssertionError):
        run("planted", DECISIONS)
