"""Terms out of nodes: the power that a rule stands on, paths of roles with their deadlines, grades of place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

from routing.agreements.known import Known
from routing.agreements.language.examples import LOCATED
from routing.agreements.language.rules import KEEP_UNITS, LOCATE, ONWARD, SENSITIVE, STEP_UNITS
from routing.agreements.language.shapes import WordList
from routing.agreements.model import FINEST_FIRST, Locate, Onward, RulingTerms, Step, Terms
from routing.agreements.words import Fields, Vocabulary, duration_of, items_of, text_of, words_of
from schemas.codes import codes
from schemas.strict_yaml import Faults, Node

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


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

    def for_rulings(self) -> RulingTerms:
        """As far as they are stated, for what a person rules."""
        return RulingTerms(self.purpose or "", self.legal_basis or "", self.retain_days or 0)


def terms_of(stated: Fields, faults: Faults) -> StatedTerms:
    """The terms that stand on a file or a rule."""
    return StatedTerms(
        purpose=_code(stated, "purpose", "a purpose", faults),
        regime=_code(stated, "regime", "a regime", faults),
        legal_basis=text_of(node, "a legal basis", faults) if (node := stated.get("legal_basis")) else None,
        retain_days=days_of(node, faults) if (node := stated.get("retain")) else None,
        sensitive=_sensitive(node, faults) if (node := stated.get("sensitive")) else None,
    )


def days_of(node: Node, faults: Faults) -> int:
    """How long something may be kept, in days."""
    return duration_of(node, dict.fromkeys(KEEP_UNITS, 1), "90d", faults)


def _code(stated: Fields, key: str, name: str, faults: Faults) -> str | None:
    node = stated.get(key)
    return Vocabulary(name, codes(key)).word(node, faults) if node else None


def _sensitive(node: Node, faults: Faults) -> tuple[str, str]:
    stated = Fields(node, SENSITIVE.what, SENSITIVE.names, faults)
    condition, document = (
        text_of(value, f"the {key}", faults) if (value := stated.need(key)) else "" for key in SENSITIVE.names
    )
    return condition, document


def complete(stated: Fields, terms: StatedTerms, faults: Faults) -> Terms:
    """A share rule stands on a purpose, a regime, a legal basis and a retention, its own or the file's."""
    given = {
        "purpose": terms.purpose,
        "regime": terms.regime,
        "legal_basis": terms.legal_basis,
        "retain": terms.retain_days,
    }
    if missing := [key for key, value in given.items() if value is None]:
        faults.add(stated.place_of("id"), f"a share rule needs {', '.join(missing)}, on the rule or on the file")
    condition, document = terms.sensitive or (None, None)
    regime: Literal["part-3", "uk-gdpr"] = "uk-gdpr" if terms.regime == "uk-gdpr" else "part-3"
    return Terms(terms.purpose or "", regime, terms.legal_basis or "", terms.retain_days or 0, condition, document)


def path_of(stated: Fields, known: Known, faults: Faults) -> tuple[Step, ...]:
    """A path of roles, with a deadline for each step from its start."""
    escalate, within = stated.need("escalate", "the roles that are asked, in order"), stated.need("within")
    roles = roles_of(escalate, known, faults) if escalate else ()
    times = _times(within, faults) if within else []
    if roles and times and len(roles) != len(times):
        message = f"a deadline for each step: `escalate` has {len(roles)}, `within` has {len(times)}"
        faults.add(stated.place_of("within"), message)
    return tuple(Step(role, within_s) for role, within_s in zip(roles, times, strict=False))


def _times(node: Node, faults: Faults) -> list[int]:
    units = {unit: _SECONDS[unit] for unit in STEP_UNITS}
    return [duration_of(item, units, "15m", faults) for item in items_of(node, "a time", faults)]


def roles_of(node: Node, known: Known, faults: Faults) -> tuple[str, ...]:
    """Roles that the bundle names."""
    return words_of(node, Vocabulary("a role of the bundle", known.roles), faults)


def locate_of(node: Node | None, faults: Faults) -> Locate:
    """How coarsely places are told; exact where nothing is said."""
    return _locate(node, LOCATE, faults) if node else "exact"


def located_of(node: Node | None, faults: Faults) -> Locate:
    """How coarsely places are expected to be told; there the word ``exact`` may be written."""
    return _locate(node, LOCATED, faults) if node else "exact"


def _locate(node: Node, allowed: WordList, faults: Faults) -> Locate:
    word = Vocabulary(allowed.name, allowed.words).word(node, faults)
    return next((locate for locate in FINEST_FIRST if locate == word), "exact")


def onward_of(node: Node, faults: Faults) -> Onward:
    """What a recipient may do with it onward; forbidden where it cannot be read."""
    word = Vocabulary(ONWARD.name, ONWARD.words).word(node, faults)
    return "permitted" if word == "permitted" else "ask" if word == "ask" else "forbidden"
