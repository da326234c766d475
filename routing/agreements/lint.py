"""What is well formed and still refused: rules that could never apply, law that does not allow them, free text.

Each check takes whole agreements, notes faults at their places, and leaves files with other faults alone where a
stand-in could mislead it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from routing.agreements.conditions import folded
from routing.agreements.model import Agreement, Block, Condition, Forbid, Limit, MemberFacts, Refer, Rule, Share
from routing.agreements.read_agreement import Draft
from schemas.codes import is_at_or_beneath

PERSONS: Final = (
    "suspects",
    "convicted",
    "victims",
    "witnesses",
    "callers",
    "subjects",
    "associates",
    "casualties",
)
"""The sections of persons: free text may hold any of them."""


def lint(drafts: Sequence[Draft], members: Mapping[str, MemberFacts]) -> None:
    """Note every fault that needs more than one value, rule or file to be seen."""
    sound = [draft for draft in drafts if draft.is_sound]
    protections = [
        (draft.agreement, rule) for draft in sound for rule in draft.agreement.rules if not isinstance(rule, Share)
    ]
    for draft in sound:
        _days_in_order(draft)
        for rule in draft.agreement.rules:
            _could_apply(draft, rule)
            if isinstance(rule, Share):
                _lawful(draft, rule, members)
                _narrative_undoes_nothing(draft, rule, protections)


def _days_in_order(draft: Draft) -> None:
    agreement = draft.agreement
    for name, day in (("ends", agreement.ends), ("review", agreement.review)):
        if day is not None and day < agreement.starts:
            draft.faults.add(draft.place, f"`{name}` is {day}, before `starts`, {agreement.starts}")


def _could_apply(draft: Draft, rule: Rule) -> None:
    place = draft.rule_places[rule.id].rule
    if not any(True for _ in _pairs(draft.agreement, rule)):
        who = "no origin in `from` has signed while it lasts, or none" if isinstance(rule, Share) else "no origin"
        draft.faults.add(place, f"rule `{rule.id}` could never apply: {who} has a recipient other than itself")
    elif _undoes_itself(rule):
        draft.faults.add(place, f"rule `{rule.id}` could never apply: whenever its `when` holds, so does its `unless`")


def _undoes_itself(rule: Rule) -> bool:
    if not isinstance(rule, Share) or rule.on_doubt_share:
        return False
    return any(_follows(block, rule.when) for block in rule.unless)


def _pairs(agreement: Agreement, rule: Rule) -> Iterable[tuple[str, str]]:
    """Origin and recipient of each way the rule can be used."""
    for origin in agreement.origins:
        if not isinstance(rule, Share) or _signs_in_time(agreement, origin):
            yield from ((origin, recipient) for recipient in rule.recipients if recipient != origin)


def _signs_in_time(agreement: Agreement, origin: str) -> bool:
    return any(
        signed.member == origin and (agreement.ends is None or signed.signed_on <= agreement.ends)
        for signed in agreement.signatures
    )


def _follows(block: Block, when: Block) -> bool:
    """Whether the block is certain to hold whenever ``when`` does."""
    return all(any(_implies(given, condition) for given in when) for condition in block)


def _implies(given: Condition, condition: Condition) -> bool:
    if given.attribute != condition.attribute or set(given.place) != set(condition.place):
        return False
    if given.attribute in ("addressed", "holder"):
        return True
    if given.attribute == "near":
        return given.values == condition.values and given.within_m <= condition.within_m
    certain: Callable[[Iterable[bool]], bool] = any if given.needs_all else all
    if condition.needs_all:
        return all(certain(_is_one_of(word, (value,)) for word in given.values) for value in condition.values)
    return certain(_is_one_of(word, condition.values) for word in given.values)


def _is_one_of(word: str, values: tuple[str, ...]) -> bool:
    return any(is_at_or_beneath(folded(word), folded(value)) for value in values)


def _lawful(draft: Draft, rule: Share, members: Mapping[str, MemberFacts]) -> None:
    """DPA 2018 Part 3 covers competent authorities; a transfer abroad needs its own ground (ss.72-78)."""
    pairs = list(_pairs(draft.agreement, rule))
    bodies = sorted({to for _, to in pairs if not members[to].competent_authority})
    if rule.terms.regime == "part-3" and bodies:
        draft.faults.add(
            draft.rule_places[rule.id].regime,
            f"rule `{rule.id}` shares under Part 3 alone with {', '.join(bodies)}, no competent authority: "
            "name another regime, or other recipients",
        )
    abroad = sorted({to for origin, to in pairs if members[to].country != members[origin].country})
    if draft.agreement.transfer is None and abroad:
        draft.faults.add(
            draft.rule_places[rule.id].rule,
            f"rule `{rule.id}` shares abroad with {', '.join(abroad)}: the file needs `transfer`, the ground for it",
        )


def _narrative_undoes_nothing(draft: Draft, rule: Share, protections: Sequence[tuple[Agreement, Rule]]) -> None:
    """Free text is granted as typed: it would undo a withheld section of persons, and a place told coarsely."""
    if "narrative" not in rule.grant or rule.accept_narrative:
        return
    place = draft.rule_places[rule.id].grant
    remedy = "leave narrative out, or say `accept-narrative: <reason>`"
    if withheld := [section for section in PERSONS if section not in rule.grant]:
        message = f"grants narrative and withholds {', '.join(withheld)}, which free text may hold: grant them too,"
        draft.faults.add(place, f"{message} {remedy}")
    if rule.locate != "exact":
        draft.faults.add(place, f"grants narrative and locates at {rule.locate}, which free text may undo: {remedy}")
    pairs = set(_pairs(draft.agreement, rule))
    for agreement, protection in protections:
        undone = _undone(protection)
        if undone and not pairs.isdisjoint(_pairs(agreement, protection)):
            message = f"grants narrative, and {agreement.id}/{protection.id} {undone}"
            draft.faults.add(place, f"{message}, or say `accept-narrative: <reason>` here")


def _undone(rule: Rule) -> str | None:
    """What free text would undo of a protection, and what to do there about it."""
    if isinstance(rule, Limit) and rule.locate != "exact":
        return f"locates at {rule.locate} at most: forbid narrative there too"
    if not isinstance(rule, Refer | Forbid) or "narrative" in rule.sections or "head" in rule.sections:
        return None
    persons = ", ".join(section for section in PERSONS if section in rule.sections)
    verb = "refers" if isinstance(rule, Refer) else "forbids"
    return f"{verb} {persons} but not narrative: {verb[:-1]} it there too" if persons else None
