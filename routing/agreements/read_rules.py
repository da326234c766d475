"""Rules out of nodes: who, under which power, when, and what is granted or forbidden."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from routing.agreements.decision import HEAD
from routing.agreements.model import Forbid, Rule, Share, Terms
from routing.agreements.read_conditions import sections_of, unless_of, when_of
from routing.agreements.source import Faults, Node, Scalar
from routing.agreements.words import Fields, Vocabulary, duration_of, id_of, items_of, text_of, words_of
from schemas.codes import codes
from schemas.sections import SECTIONS

TERM_KEYS: Final = ("purpose", "regime", "legal_basis", "sensitive", "retain")
"""What may stand on a file, and on a rule to override it."""
_EVERY_RULE: Final = ("id", "outcome", "when", "unless", "recipients", "why", *TERM_KEYS)
_SHARE: Final = (*_EVERY_RULE, "grant", "on_doubt", "accept-narrative")
_FORBID: Final = (*_EVERY_RULE, "sections")
_LATER_OUTCOMES: Final = ("refer", "limit")
_ON_DOUBT_PURPOSES: Final = ("emergency-response", "public-safety")
_ON_DOUBT_SECTIONS: Final = ("locations", "casualties", "hazards")


@dataclass(frozen=True, slots=True)
class StatedTerms:
    """The terms that a file or a rule states; None where it leaves one out."""

    purpose: str | None = None
    regime: str | None = None
    legal_basis: str | None = None
    retain_days: int | None = None
    sensitive: tuple[str, str] | None = None

    def over(self, file: StatedTerms) -> StatedTerms:
        """These, and the file's where these say nothing."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return StatedTerms(**{name: getattr(file, name) if value is None else value for name, value in own.items()})


@dataclass(frozen=True, slots=True)
class FileContext:
    """What a rule takes from its file."""

    standing: bool
    recipients: tuple[str, ...]
    terms: StatedTerms
    ceiling: tuple[str, ...] | None
    """None where the file states none."""


@dataclass(frozen=True, slots=True)
class RuleLines:
    """Where a rule stands, for faults found later."""

    rule: int
    grant: int
    regime: int


def terms_of(stated: Fields, faults: Faults) -> StatedTerms:
    """The terms that stand on a file or a rule."""
    return StatedTerms(
        purpose=_code(stated, "purpose", "a purpose", faults),
        regime=_code(stated, "regime", "a regime", faults),
        legal_basis=text_of(node, "a legal basis", faults) if (node := stated.get("legal_basis")) else None,
        retain_days=duration_of(node, {"d": 1}, "90d", faults) if (node := stated.get("retain")) else None,
        sensitive=_sensitive(node, faults) if (node := stated.get("sensitive")) else None,
    )


def _code(stated: Fields, key: str, name: str, faults: Faults) -> str | None:
    node = stated.get(key)
    return Vocabulary(name, codes(key)).word(node, faults) if node else None


def _sensitive(node: Node, faults: Faults) -> tuple[str, str]:
    keys = ("condition", "policy_document")
    stated = Fields(node, "`sensitive`", keys, faults)
    condition, document = (text_of(value, f"the {key}", faults) if (value := stated.need(key)) else "" for key in keys)
    return condition, document


def rules_of(node: Node, context: FileContext, faults: Faults) -> tuple[tuple[Rule, RuleLines], ...]:
    """The rules of a file with their lines; those that cannot be read are left out, and noted."""
    found: dict[str, tuple[Rule, RuleLines]] = {}
    for item in items_of(node, "a rule", faults):
        read = _rule(item, context, faults)
        if read is None:
            continue
        if (rule_id := read[0].id) in found:
            faults.add(read[1].rule, f"duplicate id `{rule_id}`: it already stands in line {found[rule_id][1].rule}")
        found[rule_id] = read
    return tuple(found[rule_id] for rule_id in sorted(found))


def _rule(node: Node, context: FileContext, faults: Faults) -> tuple[Rule, RuleLines] | None:
    outcome = _outcome(node, context, faults)
    if outcome is None:
        return None
    stated = Fields(node, f"a {outcome} rule", _SHARE if outcome == "share" else _FORBID, faults)
    lines = RuleLines(stated.line_of("id"), stated.line_of("grant"), stated.line_of("regime"))
    everything: dict[str, Any] = {
        "id": id_of(name, "an id", faults) if (name := stated.need("id")) else "",
        "recipients": _recipients(stated, context, faults),
        "when": when_of(stated.get("when"), faults),
        "unless": unless_of(stated.get("unless"), faults),
        "why": text_of(why, "a reason", faults) if (why := stated.get("why")) else None,
    }
    terms = terms_of(stated, faults)
    if outcome == "share":
        return _share(stated, everything, terms.over(context.terms), context, faults), lines
    return Forbid(**everything, sections=_forbidden(stated.get("sections"), faults)), lines


def _outcome(node: Node, context: FileContext, faults: Faults) -> str | None:
    """Share or forbid; None, with a fault noted, where the rest of the rule cannot be judged."""
    entries = getattr(node, "entries", {})
    outcome = entries.get("outcome")
    if outcome is None:
        faults.add(node, "a rule needs `outcome`: share or forbid")
        return None
    if isinstance(outcome, Scalar) and outcome.text in _LATER_OUTCOMES:
        faults.add(outcome, f"outcome `{outcome.text}` is not supported yet: this version would not obey it")
        return None
    word = Vocabulary("an outcome", ("share", "forbid")).word(outcome, faults)
    if word == "share" and context.standing:
        faults.add(outcome, "a standing file protects: it cannot share, only forbid")
    return word or None


def _recipients(stated: Fields, context: FileContext, faults: Faults) -> tuple[str, ...]:
    node = stated.get("recipients")
    if node is None:
        return context.recipients
    if context.standing:
        faults.add(node, "a standing rule holds towards every recipient: name exceptions in the file's `except`")
        return ()
    return tuple(sorted(words_of(node, Vocabulary("a member of `to`", context.recipients), faults)))


def _forbidden(node: Node | None, faults: Faults) -> tuple[str, ...]:
    """Without ``sections`` the head and all."""
    return (HEAD, *SECTIONS) if node is None else sections_of(node, faults, head=True)


def _share(
    stated: Fields, everything: dict[str, Any], terms: StatedTerms, context: FileContext, faults: Faults
) -> Share:
    grant = _grant(stated, context, faults)
    on_doubt = _on_doubt(stated, terms, grant, faults)
    return Share(
        **everything,
        grant=grant,
        terms=_complete(stated, terms, faults),
        on_doubt_share=on_doubt,
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


def _complete(stated: Fields, terms: StatedTerms, faults: Faults) -> Terms:
    """A share rule stands on a purpose, a regime, a legal basis and a retention, its own or the file's."""
    given = {
        "purpose": terms.purpose,
        "regime": terms.regime,
        "legal_basis": terms.legal_basis,
        "retain": terms.retain_days,
    }
    if missing := [key for key, value in given.items() if value is None]:
        faults.add(stated.line_of("id"), f"a share rule needs {', '.join(missing)}, on the rule or on the file")
    condition, document = terms.sensitive or (None, None)
    regime: Literal["part-3", "uk-gdpr"] = "uk-gdpr" if terms.regime == "uk-gdpr" else "part-3"
    return Terms(terms.purpose or "", regime, terms.legal_basis or "", terms.retain_days or 0, condition, document)


def _on_doubt(stated: Fields, terms: StatedTerms, grant: tuple[str, ...], faults: Faults) -> bool:
    node = stated.get("on_doubt")
    if node is None:
        return False
    Vocabulary("what on_doubt may say", ("share",)).word(node, faults)
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
