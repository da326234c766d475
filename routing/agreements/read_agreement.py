"""One agreement file out of its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from routing.agreements.examples import Example
from routing.agreements.known import Known
from routing.agreements.language import SHARING_FILE, STANDING_FILE
from routing.agreements.language.files import DOUBT, FOLLOW_UNITS, SIGNATURE
from routing.agreements.model import Agreement, Signature
from routing.agreements.read_conditions import sections_of
from routing.agreements.read_examples import examples_of
from routing.agreements.read_rules import FileContext, RulePlaces, rules_of
from routing.agreements.read_terms import onward_of, path_of, terms_of
from routing.agreements.words import (
    Fields,
    Vocabulary,
    day_of,
    duration_of,
    id_of,
    items_of,
    text_of,
    true_of,
    words_of,
)
from schemas.strict_yaml import Faults, Node, Place, Scalar, Table

_HOURS: Final = {"h": 1, "d": 24}
_FOLLOW_HOURS: Final = 72
"""How long after closing a holder still hears of changes, where the file does not say."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file read. If any fault was noted, the agreement holds stand-ins and is good for finding more faults only."""

    faults: Faults
    agreement: Agreement
    place: Place
    """Where the agreement's id stands."""
    rule_places: Mapping[str, RulePlaces]
    examples: tuple[Example, ...]

    @property
    def is_sound(self) -> bool:
        """No fault was noted so far."""
        return not self.faults.noted


def read_agreement(root: Node, known: Known, faults: Faults) -> Draft:
    """The agreement of a file, every fault noted."""
    standing = _standing(root, faults)
    structure = STANDING_FILE if standing else SHARING_FILE
    stated = Fields(root, structure.what, structure.names, faults)
    context = FileContext(
        standing=standing,
        recipients=_recipients(stated, known, faults, standing=standing),
        terms=terms_of(stated, faults),
        ceiling=_ceiling(stated.get("share"), faults),
        known=known,
    )
    node = stated.need("rules")
    rules = rules_of(node, context, faults) if node else ()
    doubt = stated.get("doubt")
    agreement = Agreement(
        id=id_of(node, "an agreement's reference", faults) if (node := stated.need("agreement")) else "",
        title=_text(stated, "title", faults),
        owner=_text(stated, "owner", faults),
        starts=day_of(node, faults) if (node := stated.need("starts")) else date.min,
        origins=_parties(stated, "from", known.publishers, "publishes", faults),
        rules=tuple(rule for rule, _ in rules),
        standing=standing,
        review=day_of(node, faults) if (node := stated.get("review")) else None,
        ends=day_of(node, faults) if (node := stated.get("ends")) else None,
        signatures=_signatures(stated.get("signed"), known, faults),
        ceiling=context.ceiling or (),
        onward=onward_of(node, faults) if (node := stated.get("onward")) else "forbidden",
        follow_hours=_follow_hours(stated.get("follow"), faults),
        doubt=path_of(Fields(doubt, DOUBT.what, DOUBT.names, faults), known, faults) if doubt else (),
        ruling=context.terms.for_rulings(),
        transfer=text_of(node, "the ground for sending abroad", faults) if (node := stated.get("transfer")) else None,
        breach_contact=_text(stated, "breach_contact", faults) if stated.get("breach_contact") else None,
    )
    _need_of_sharing(stated, agreement)
    examples = examples_of(stated.get("examples"), agreement, known, faults)
    places = {rule.id: place for rule, place in rules}
    return Draft(faults, agreement, stated.place_of("agreement"), places, examples)


def _standing(root: Node, faults: Faults) -> bool:
    node = root.get("standing") if isinstance(root, Table) else None
    return node is not None and true_of(node, "standing", faults)


def _text(stated: Fields, key: str, faults: Faults) -> str:
    node = stated.need(key)
    return text_of(node, f"the {key.replace('_', ' ')}", faults) if node else ""


def _follow_hours(node: Node | None, faults: Faults) -> int:
    units = {unit: _HOURS[unit] for unit in FOLLOW_UNITS}
    return duration_of(node, units, "72h", faults) if node else _FOLLOW_HOURS


def _parties(stated: Fields, key: str, eligible: tuple[str, ...], does: str, faults: Faults) -> tuple[str, ...]:
    """The members named, or every eligible one for the word ``any``; sorted."""
    node = stated.need(key)
    if node is None:
        return ()
    if isinstance(node, Scalar) and node.text == "any":
        return tuple(sorted(eligible))
    return tuple(sorted(words_of(node, Vocabulary(f"a member that {does}", sorted(eligible)), faults)))


def _recipients(stated: Fields, known: Known, faults: Faults, *, standing: bool) -> tuple[str, ...]:
    if not standing:
        return _parties(stated, "to", known.receivers, "receives", faults)
    node = stated.get("except")
    excepted = words_of(node, Vocabulary("a member that receives", known.receivers), faults) if node else ()
    return tuple(member for member in known.receivers if member not in excepted)


def _ceiling(node: Node | None, faults: Faults) -> tuple[str, ...] | None:
    """None where there is none, or a faulty one that no grant should be held against."""
    before = len(faults.noted)
    ceiling = sections_of(node, faults, may_be_empty=True) if node else None
    return ceiling if len(faults.noted) == before else None


def _signatures(node: Node | None, known: Known, faults: Faults) -> tuple[Signature, ...]:
    if node is None:
        return ()
    return tuple(_signature(item, known, faults) for item in items_of(node, "a signature", faults))


def _signature(node: Node, known: Known, faults: Faults) -> Signature:
    stated = Fields(node, SIGNATURE.what, SIGNATURE.names, faults)
    member, day = stated.need("member"), stated.need("date")
    return Signature(
        Vocabulary("a member of the exchange", sorted(known.members)).word(member, faults) if member else "",
        _text(stated, "name", faults),
        _text(stated, "role", faults),
        day_of(day, faults) if day else date.min,
    )


def _need_of_sharing(stated: Fields, agreement: Agreement) -> None:
    """A file that shares states its ceiling and its review day."""
    if any(rule.outcome == "share" for rule in agreement.rules):
        stated.need("share", "the most that any of its rules may grant")
        stated.need("review", "the day by which its owners look at it again")
