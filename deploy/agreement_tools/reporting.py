"""What the exact examination found, for an information manager to read, and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, repeat
from textwrap import wrap
from typing import Any, Final

from deploy.agreement_tools.analysis.differences import Difference
from deploy.agreement_tools.analysis.findings import Examination, Finding
from deploy.agreement_tools.analysis.pairs import Alike
from deploy.agreement_tools.analysis.words import example_in_words, statement_in_words
from routing.agreements.state import RuleRef

_WIDTH: Final = 100
_CHANGES: Final = {
    ("withheld", "granted"): "gain",
    ("granted", "withheld"): "lose",
    ("granted", "referred"): "wait for a person's ruling, until now granted:",
    ("withheld", "referred"): "may be given, if a person rules so,",
    ("referred", "granted"): "are given without a person's ruling",
    ("referred", "withheld"): "are no longer the subject of a ruling, and lose",
    ("granted", "forbidden"): "lose, by prohibition,",
    ("withheld", "forbidden"): "are now forbidden what nothing granted:",
    ("referred", "forbidden"): "are now forbidden what waited for a ruling:",
    ("forbidden", "granted"): "gain what was forbidden:",
    ("forbidden", "withheld"): "are no longer forbidden, and still not given,",
    ("forbidden", "referred"): "may be given what was forbidden, if a person rules so:",
}


def examination_in_words(examination: Examination) -> Iterator[str]:
    """What was found, the worst first."""
    by_kind: dict[str, list[Finding]] = {"dead": [], "shadowed": [], "overlapping": []}
    for finding in examination.findings:
        by_kind[finding.kind].append(finding)
    for finding in by_kind["dead"]:
        yield f"dead: {_name(finding.rule)}: no event can ever match it; take it out, or mend its conditions"
    for finding in by_kind["shadowed"]:
        yield f"shadowed: {_name(finding.rule)}: whenever it matches, the outcome is the same without it"
        others = ", ".join(map(_name, finding.does_its_work))
        yield from _indented(f"for example where {others or 'nothing else'} matches too: {_example(finding)}", 4)
    if overlapping := by_kind["overlapping"]:
        yield f"{len(overlapping)} pairs of rules meet (permission adds up, prohibition wins):"
        for finding in overlapping:
            yield from _overlap(finding)
    if not by_kind["dead"] and not by_kind["shadowed"]:
        yield "no rule is dead, and none is shadowed"
    if examination.idle:
        yield f"not in force on that day, and not examined: {', '.join(map(_name, examination.idle))}"


def _overlap(finding: Finding) -> Iterator[str]:
    other = finding.other or finding.rule
    example = finding.example
    matches = example.decisions["now"].rules if example else ()
    shares = any(RuleRef(match.agreement, match.rule) == other and match.outcome == "share" for match in matches)
    verb = "both grant" if shares else "meet over"
    yield from _indented(f"{_name(finding.rule)} and {_name(other)} {verb} {', '.join(finding.parts)}", 2)
    yield from _indented(f"for example: {_example(finding)}", 6)


def _example(finding: Finding) -> str:
    return example_in_words(finding.example) if finding.example else ""


def _name(ref: RuleRef) -> str:
    return f"{ref.agreement} / {ref.rule}"


def together(differences: Iterable[Difference]) -> list[Difference]:
    """Differences that are the same for several pairs are told once."""
    found: dict[tuple[Any, ...], Difference] = {}
    for each in differences:
        key = (each.before, each.after, each.parts, tuple(region.where for region in each.regions))
        first = found.get(key, each)
        pairs = first.towards.pairs if first is each else (*first.towards.pairs, *each.towards.pairs)
        found[key] = replace(first, towards=Alike(tuple(sorted(pairs))))
    return list(found.values())


def difference_in_words(difference: Difference) -> Iterator[str]:
    """Who gains or loses what, and where: one condition to a line."""
    change = _CHANGES[difference.before, difference.after]
    yield from _indented(f"{difference.towards.in_words()}: {change} {', '.join(difference.parts)}", 0)
    regions = difference.regions
    common = [each for each in regions[0].where if all(each in region.where for region in regions)]
    leads = chain(["where "], repeat("  and "))
    for each in common:
        yield from _led(next(leads), statement_in_words(each))
    for number, region in enumerate(regions):
        for place, each in enumerate(each for each in region.where if each not in common):
            lead = "  and " if place else ("either " if number == 0 else "    or ")
            yield from _led(lead, statement_in_words(each))
        yield from _led("  e.g. ", example_in_words(region.example))
    yield ""


def _led(lead: str, text: str) -> Sequence[str]:
    lead = f"   {lead:>7}"
    return wrap(
        text,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead) + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _indented(text: str, by: int) -> Sequence[str]:
    margin = " " * by
    return wrap(
        text,
        _WIDTH,
        initial_indent=margin,
        subsequent_indent=margin + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding as plain data."""
    return {
        "kind": finding.kind,
        "rule": _name(finding.rule),
        "other": finding.other and _name(finding.other),
        "parts": list(finding.parts),
        "does_its_work": [_name(ref) for ref in finding.does_its_work],
        "example": _example(finding) or None,
    }


def difference_as_json(difference: Difference) -> dict[str, Any]:
    """A difference as plain data."""
    return {
        "pairs": [{"origin": origin, "recipient": recipient} for origin, recipient in difference.towards.pairs],
        "before": difference.before,
        "after": difference.after,
        "parts": list(difference.parts),
        "regions": [
            {
                "where": [statement_in_words(each) for each in region.where],
                "example": example_in_words(region.example),
            }
            for region in difference.regions
        ],
    }
