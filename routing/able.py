"""What the language of agreements can say and this router cannot yet do: refused as a whole, never half obeyed."""

from __future__ import annotations

from collections.abc import Iterator

from routing.agreements.bundle import Bundle
from routing.agreements.model import Rule
from schemas.errors import Rejected


def check_able(bundle: Bundle) -> None:
    """That the router can do all that a bundle asks of it.

    Raises:
        Rejected: ``unable``: the bundle was loaded and checked, and holds a rule that would be obeyed only in part.
    """
    found = [
        f"{agreement.id}/{rule.id} {why}"
        for agreement in bundle.agreements
        for rule in agreement.rules
        for why in _unable(rule)
    ]
    if found:
        raise Rejected("unable", f"this router cannot yet do what the policy asks: {'; '.join(found)}")


def _unable(rule: Rule) -> Iterator[str]:
    conditions = (condition for block in (rule.when, *rule.unless) for condition in block)
    if any(condition.attribute == "holder" for condition in conditions):
        yield "asks whether the recipient holds the incident: that is not remembered yet"
