"""The keys of rules, by outcome."""

from __future__ import annotations

from typing import Final

from routing.agreements.language.conditions import BLOCK
from routing.agreements.language.shapes import (
    MEMBER,
    ROLE,
    SECTION,
    SECTION_OR_HEAD,
    Duration,
    Key,
    Listed,
    Mapping,
    Name,
    OneOf,
    OnlyTrue,
    Structure,
    Text,
    Word,
    WordList,
    code_list,
    words,
)
from routing.agreements.model import FINEST_FIRST, STRICTEST_FIRST

OUTCOMES: Final = ("share", "refer", "forbid", "limit")
OUTCOME: Final = WordList("outcome", OUTCOMES)
LOCATE: Final = WordList("how coarsely places are told", FINEST_FIRST[1:])
ONWARD: Final = WordList("what a recipient may do with it onward", STRICTEST_FIRST)
ON_DOUBT: Final = WordList("what on_doubt may say", ("share",))
KEEP_UNITS: Final = "d"
STEP_UNITS: Final = "smhd"

SENSITIVE: Final = Structure(
    "Special categories",
    "`sensitive`",
    (
        Key("condition", Text(), "The condition in law that is met: `s.35(5), Sch. 8 para 1`", needed=True),
        Key("policy_document", Text(), "The appropriate policy document", needed=True),
    ),
)
_OR_FILE: Final = "what the file says"
TERM_KEYS: Final = (
    Key("purpose", Word(code_list("purpose")), "For what it is shared", otherwise=_OR_FILE),
    Key(
        "regime",
        Word(code_list("regime")),
        "The law it is shared under: DPA 2018 Part 3, or UK GDPR",
        otherwise=_OR_FILE,
    ),
    Key("legal_basis", Text(), "The power to share, printed on every disclosure", otherwise=_OR_FILE),
    Key("sensitive", Mapping(SENSITIVE), "The condition for special categories of data", otherwise=_OR_FILE),
    Key(
        "retain",
        Duration(KEEP_UNITS, "90d"),
        "How long a recipient may keep it, from the closing of the incident",
        otherwise=_OR_FILE,
    ),
)
"""What may stand on a file, and on a rule to override it."""
PATH_KEYS: Final = (
    Key("escalate", words(ROLE), "The roles that are asked, in order", needed=True),
    Key(
        "within",
        Listed(Duration(STEP_UNITS, "15m"), may_repeat=True),
        "A deadline for each of these steps, from its start; after the last it lapses and is withheld",
        needed=True,
    ),
)


def _every(outcome: str) -> tuple[Key, ...]:
    blocks = OneOf((Listed(Mapping(BLOCK), may_repeat=True), Mapping(BLOCK)))
    always = {
        "share": "it matches if `when` is true and `unless` is false",
    }.get(outcome, "it matches if `when` is true or unknown, and `unless` is false or unknown")
    return (
        Key("id", Name(), "What the rule is called, in its file once", needed=True),
        Key("outcome", Word(OUTCOME), f"`{outcome}`", needed=True),
        Key("when", Mapping(BLOCK), f"Conditions that must all hold: {always}", otherwise="always true"),
        Key(
            "unless",
            blocks,
            "Blocks of conditions; any one that holds prevents the rule. One of one condition may stand alone",
            otherwise="never",
        ),
        Key("recipients", words(MEMBER), "Part of the file's `to`; never in a standing file", otherwise="all of `to`"),
        Key("why", Text(), "The reason, as explanations print it"),
        *TERM_KEYS,
    )


_COVERED: Final = Key(
    "sections", words(SECTION_OR_HEAD), "What it covers; `head` may be named", otherwise="the head and all sections"
)
_SILENT: Final = Key(
    "silent", OnlyTrue(), "A holder that hears no more is not even told that there is no news", otherwise="it is told"
)
RULES: Final = {
    "share": Structure(
        "A share rule",
        "a share rule",
        (
            *_every("share"),
            Key(
                "grant",
                words(SECTION, may_be_empty=True),
                "The sections it shares besides the head; `[]` is the head alone",
                needed=True,
            ),
            Key(
                "locate",
                Word(LOCATE),
                "It tells every place in these sections as a cell of that size",
                otherwise="exact",
            ),
            Key(
                "on_doubt",
                Word(ON_DOUBT),
                "It matches unless `when` is false or `unless` true; only for the purposes emergency-response and "
                "public-safety, and of locations, hazards and casualties",
                otherwise="doubt goes against sharing",
            ),
            Key("accept-narrative", Text(), "Why free text may flow although it could undo what is withheld or coarse"),
        ),
    ),
    "refer": Structure(
        "A refer rule",
        "a refer rule",
        (
            *_every("refer"),
            _COVERED,
            *PATH_KEYS,
            Key(
                "invite",
                OnlyTrue(),
                "A person is asked even about what no share rule could grant",
                otherwise="not asked",
            ),
            _SILENT,
        ),
    ),
    "forbid": Structure(
        "A forbid rule",
        "a forbid rule",
        (
            *_every("forbid"),
            _COVERED,
            Key(
                "override",
                words(ROLE),
                "Roles that may release named sections for at most 4 hours when life is at risk",
                otherwise="nobody may",
            ),
            _SILENT,
        ),
    ),
    "limit": Structure(
        "A limit rule",
        "a limit rule",
        (
            *(key for key in _every("limit") if key.name != "retain"),
            Key("locate", Word(LOCATE), "No place is told finer, whoever grants it", otherwise="no cap"),
            Key("retain", Duration(KEEP_UNITS, "90d"), "Nobody may keep it longer", otherwise="no cap"),
            Key("onward", Word(ONWARD), "A recipient may do no more with it onward", otherwise="no cap"),
        ),
        needs_one_of=("locate", "retain", "onward"),
    ),
}
"""The rules, by outcome."""
