"""The keys of `bundle.yaml`."""

from __future__ import annotations

from typing import Final

from routing.agreements.language.examples import SETS
from routing.agreements.language.shapes import (
    MEMBER,
    ROLE,
    ByName,
    Digest,
    Key,
    Listed,
    Mapping,
    Members,
    Name,
    OneOf,
    Plain,
    Structure,
    Text,
    Whole,
    words,
)

AREA_FILE: Final = Structure(
    "An area",
    "an area",
    (
        Key("file", Text(), "The GeoJSON file, by a path relative to the bundle", needed=True),
        Key(
            "where",
            ByName(Text(), Plain()),
            "Properties of the features that are meant, with their values",
            needed=True,
        ),
    ),
)
PERSON: Final = Structure(
    "A person",
    "a person",
    (
        Key("name", Text(), "What colleagues call the person", otherwise="the name under which roles list the person"),
        Key("user", Text(), "User of the operating system, as the desk's machine knows the person"),
        Key("token_sha256", Digest(), "SHA-256 of the person's token: `sha256sum < token-file` tells it"),
    ),
    needs_one_of=("user", "token_sha256"),
)
SUSPENSION: Final = Structure(
    "A suspension",
    "a suspension",
    (
        Key("agreement", Text(), "Which agreement is stopped", needed=True),
        Key("who", Text(), "Who stopped it", needed=True),
        Key("why", Text(), "Why", needed=True),
    ),
)
NEVER_STATED: Final = Structure(
    "What a member never states",
    "what a member never states",
    tuple(Key(name, Text(), f"Why its system cannot state {name}; printed in every explanation") for name in SETS),
)
BUNDLE: Final = Structure(
    "bundle.yaml",
    "bundle.yaml",
    (
        Key("version", Whole(), "Rises with each bundle published", needed=True),
        Key("published_by", Text(), "Who puts it in force", needed=True),
        Key(
            "members",
            OneOf((Text(), Members())),
            "The relative path of an [exchange.yaml](exchange.md), or members as they stand in one",
            needed=True,
        ),
        Key(
            "areas",
            ByName(Name(), OneOf((Text(), Mapping(AREA_FILE)))),
            "Each area's name and its GeoJSON file ([areas.md](../areas.md))",
            otherwise="none",
        ),
        Key(
            "roles",
            ByName(Name(), ByName(MEMBER, Listed(Text(), may_repeat=True), may_be_empty=True), may_be_empty=True),
            "Who holds each role, by member",
            otherwise="none",
        ),
        Key(
            "people",
            ByName(Text(), Mapping(PERSON)),
            "How a desk knows holders of roles; whoever is left out is the operating system's user of that name",
            otherwise="none",
        ),
        Key("discretion", words(ROLE), "Roles that may share at discretion", otherwise="none"),
        Key(
            "never-states",
            ByName(MEMBER, Mapping(NEVER_STATED), may_be_empty=True),
            "Sets that a member's system cannot record: null then counts as empty, and says why",
            otherwise="none",
        ),
        Key(
            "suspended",
            Listed(Mapping(SUSPENSION), may_be_empty=True, may_repeat=True),
            "Agreements stopped: `huecry agreements suspend` writes this",
            otherwise="none",
        ),
    ),
)
