"""Rules out of nodes: who, under which power, when, and what is granted, referred, forbidden or capped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from routing.agreements.decision import HEAD
from routing.agreements.known import Known
from routing.agreements.language import RULES
from routing.agreements.language.rules import ON_DOUBT, OUTCOME, OUTCOMES
from routing.agreements.model import Forbid, Limit, Refer, Rule, Share
from routing.agreements.read_conditions import sections_of, unless_of, when_of
from routing.agreements.read_terms import (
    StatedTerms,
    complete,
    locate_of,
    onward_of,
    path_of,
    roles_of,
    terms_of,
)
from routing.agreements.words import Fields, Vocabulary, id_of, items_of, text_of, true_of, words_of
from schemas.sections import SECTIONS
from schemas.strict_yaml import Faults, Node, Place, Table

_ON_DOUBT_PURPOSES: Final = ("emergency-response", "public-safety")
_ON_DOUBT_SECTIONS: Final = ("locations", "casualties", "hazards")


@dataclass(frozen=True, slots=True)
class FileContext:
    """What a rule takes from its file."""

    standing: bool
    recipients: tuple[str, ...]
    terms: StatedTerms
    ceiling: tuple[str, ...] | None
    """None where the file states none."""
    known: Known


@dataclass(frozen=True, slots=True)
class RulePlaces:
    """Where a rule stands, for faults found later."""

    rule: Place
    grant: Place
    regime: Place


def rules_of(node: Node, context: FileContext, faults: Faults) -> tuple[tuple[Rule, RulePlaces], ...]:
    """The rules of a file with their places; those that cannot be read are left out, and noted."""
    found: dict[str, tuple[Rule, RulePlaces]] = {}
    for item in items_of(node, "a rule", faults):
        read = _rule(item, context, faults)
        if read is None:
            continue
        if (rule_id := read[0].id) in found:
            first = found[rule_id][1].rule.line
            faults.add(read[1].rule, f"duplicate id `{rule_id}`: it already stands in line {first}")
        found[rule_id] = read
    return tuple(found[rule_id] for rule_id in sorted(found))


def _rule(node: Node, context: FileContext, faults: Faults) -> tuple[Rule, RulePlaces] | None:
    outcome = _outcome(node, context, faults)
    if outcome is None:
        return None
    stated = Fields(node, RULES[outcome].what, RULES[outcome].names, faults)
    everything: dict[str, Any] = {
        "id": id_of(name, "an id", faults) if (name := stated.need("id")) else "",
        "recipients": _recipients(stated, context, faults),
        "when": when_of(stated.get("when"), context.known, faults),
        "unless": unless_of(stated.get("unless"), context.known, faults),
        "why": text_of(why, "a reason", faults) if (why := stated.get("why")) else None,
    }
    terms = terms_of(stated, faults)
    return _of_outcome(outcome, stated, everything, terms, context, faults), RulePlaces(
        stated.place_of("id"), stated.place_of("grant"), stated.place_of("regime")
    )


def _of_outcome(
    outcome: str, stated: Fields, everything: dict[str, Any], terms: StatedTerms, context: FileContext, faults: Faults
) -> Rule:
    if outcome == "share":
        return _share(stated, everything, terms.over(context.terms), context, faults)
    if outcome == "limit":
        return _limit(stated, everything, terms, faults)
    everything |= {
        "sections": _covered(stated.get("sections"), faults),
        "silent": _is_true(stated, "silent", faults),
        "ruling": terms.over(context.terms).for_rulings(),
    }
    if outcome == "refer":
        path = path_of(stated, context.known, faults)
        return Refer(**everything, path=path, invite=_is_true(stated, "invite", faults))
    override = stated.get("override")
    return Forbid(**everything, override=roles_of(override, context.known, faults) if override else ())


def _outcome(node: Node, context: FileContext, faults: Faults) -> str | None:
    """None, with a fault noted, where the rest of the rule cannot be judged."""
    outcome = node.get("outcome") if isinstance(node, Table) else None
    if outcome is None:
        faults.add(node, f"a rule needs `outcome`: {', '.join(OUTCOMES)}")
        return None
    word = Vocabulary("an outcome", OUTCOME.words).word(outcome, faults)
    if word == "share" and context.standing:
        faults.add(outcome, "a standing file protects: it cannot share, only refer, forbid and limit")
    return word or None


def _recipients(stated: Fields, context: FileContext, faults: Faults) -> tuple[str, ...]:
    node = stated.get("recipients")
    if node is None:
        return context.recipients
    if context.standing:
        faults.add(node, "a standing rule holds towards every recipient: name exceptions in the file's `except`")
        return ()
    # Where `to` has a fault it may name nobody: that is told there, and not again here.
    allowed = Vocabulary("a member of `to`", context.recipients or context.known.receivers)
    return tuple(sorted(words_of(node, allowed, faults)))


def _covered(node: Node | None, faults: Faults) -> tuple[str, ...]:
    """Without ``sections`` the head and all."""
    return (HEAD, *SECTIONS) if node is None else sections_of(node, faults, head=True)


def _is_true(stated: Fields, key: str, faults: Faults) -> bool:
    node = stated.get(key)
    return node is not None and true_of(node, key, faults)


def _limit(stated: Fields, everything: dict[str, Any], terms: StatedTerms, faults: Faults) -> Limit:
    """Here ``retain`` is a cap."""
    caps = RULES["limit"].needs_one_of
    if not any(stated.get(key) for key in caps):
        faults.add(stated.place_of("id"), f"a limit rule caps something: it needs {' or '.join(caps)}")
    onward = stated.get("onward")
    return Limit(
        **everything,
        locate=locate_of(stated.get("locate"), faults),
        retain_days=terms.retain_days,
        onward=onward_of(onward, faults) if onward else None,
    )


def _share(
    stated: Fields, everything: dict[str, Any], terms: StatedTerms, context: FileContext, faults: Faults
) -> Share:
    grant = _grant(stated, context, faults)
    on_doubt = _on_doubt(stated, terms, grant, faults)
    return Share(
        **everything,
        grant=grant,
        terms=complete(stated, terms, faults),
        on_doubt_share=on_doubt,
        locate=locate_of(stated.get("locate"), faults),
        accept_narrative=_accept_narrative(stated, grant, faults),
    )


def _grant(stated: Fields, context: FileContext, faults: Faults) -> tuple[str, ...]:
    node = stated.need("grant", "the sections it shares; [] is the head alone")
    if node is None:
        return ()
    grant = sections_of(node, faults, may_be_empty=True)
    if context.ceiling is not None and (above := _listed(grant, context.ceiling)):
        faults.add(node, f"grants {above}, above the ceiling: the file's `share` is the most any rule here may grant")
    return grant


def _listed(sections: Collection[str], allowed: Collection[str]) -> str:
    return ", ".join(section for section in sections if section not in allowed)


def _on_doubt(stated: Fields, terms: StatedTerms, grant: tuple[str, ...], faults: Faults) -> bool:
    node = stated.get("on_doubt")
    if node is None:
        return False
    Vocabulary(ON_DOUBT.name, ON_DOUBT.words).word(node, faults)
    if terms.purpose not in _ON_DOUBT_PURPOSES:
        faults.add(node, f"`on_doubt: share` is for the purposes {' and '.join(_ON_DOUBT_PURPOSES)} alone")
    if above := _listed(grant, _ON_DOUBT_SECTIONS):
        faults.add(node, f"`on_doubt: share` may grant no more than locations, hazards and casualties, not {above}")
    return True


def _accept_narrative(stated: Fields, grant: tuple[str, ...], faults: Faults) -> str | None:
    node = stated.get("accept-narrative")
    if node is None:
        return None
    if "narrative" not in grant:
        faults.add(node, "`accept-narrative` accepts nothing: the rule does not grant narrative")
    return text_of(node, "a reason to accept that free text may hold what the rule withholds", faults)
