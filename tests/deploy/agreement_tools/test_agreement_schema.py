"""The JSON Schemas: what loads fits them, what they refuse does not load, and they know every word of the loader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator

from deploy.agreement_tools.schema_shapes import Names, Schema
from deploy.agreement_tools.schemas import agreement_schema, bundle_schema, exchange_schema
from deploy.cli import cli
from deploy.demo.run import HERE
from routing.agreements import load_bundle, words
from routing.agreements.known import Known
from routing.agreements.read_agreement import read_agreement
from routing.agreements.read_members import read_bundle_file
from routing.agreements.words import Fields, Vocabulary
from schemas.errors import Rejected
from schemas.exchange import load_exchange
from schemas.strict_yaml import Faults, plain, read_yaml
from tests.deploy.agreement_tools.spoiling import spoilt
from tests.docs.test_agreements_guide import AGREEMENTS as GUIDE
from tests.docs.test_agreements_guide import BUNDLE as GUIDE_BUNDLE

PLACED = re.compile(r"\S+:[1-9]\d*:[1-9]\d*: .{8,1000}$")
ROOT = Path(__file__).parents[3]
BUNDLES = (HERE / "agreements", ROOT / "tests" / "routing" / "agreements" / "bundle")
FILES = [path for bundle in BUNDLES for path in sorted((bundle / "agreements").glob("*.yaml"))]

EVERYTHING = """
agreement: ALL-1
title: Every key of an agreement
purpose: public-safety
regime: uk-gdpr
legal_basis: UK GDPR Art. 6(1)(e)
sensitive: {condition: "Art. 9(2)(c)", policy_document: APD-1}
owner: desk@north.example
breach_contact: dpo@north.example
signed: [{member: north, name: A. Chief, role: ACC, date: 2026-01-01}]
starts: 2026-02-01
review: 2026-08-01
ends: 2027-01-31
from: [north]
to: [south, west]
retain: 90d
follow: 3d
onward: ask
share: [locations, hazards]
transfer: s.75
doubt: {escalate: [desk], within: [10m]}
rules:
  - id: share
    outcome: share
    when:
      category: [transport/rtc]
      qualifiers: {all: [alcohol]}
      flags: [child]
      caveats: [refuge]
      handling: [no-media]
      grade: [emergency]
      status: [open]
      kind: [created]
      mode: [actual]
      marking: [official]
      area: [hill]
      near: {member: recipient, within: 5km}
      district: [Calderdale]
      has: {all: [locations]}
      holder: true
      addressed: true
      place: [incident]
    unless: [{flags: [child], grade: [priority]}]
    recipients: [south]
    why: because
    purpose: public-safety
    regime: uk-gdpr
    legal_basis: a power
    sensitive: {condition: c, policy_document: d}
    retain: 30d
    grant: [locations]
    locate: 1km
    on_doubt: share
  - {id: refer, outcome: refer, sections: [head, facts], escalate: [desk], within: [40s], invite: true, silent: true}
  - {id: forbid, outcome: forbid, override: [desk], silent: true, unless: {district: [Leeds], place: [incident]}}
  - {id: limit, outcome: limit, locate: 10km, retain: 10d, onward: forbidden}
examples:
  - name: one
    given:
      origin: north
      category: transport/unknown
      qualifiers: null
      flags: [child, null]
      caveats: []
      handling: [unknown]
      grade: emergency
      status: null
      kind: created
      mode: actual
      marking: official
      district: Calderdale
      places: [{kind: caller, district: null, at: [53.64, -1.96], radius: 30m}]
      sections: []
      addressed: [south]
    expect: {south: {share: [], refer: all, forbid: [facts], locate: exact}, west: {withhold: all}}
    on: 2026-02-02
"""
STANDING = """
agreement: STAND-1
title: Protections
standing: true
owner: desk@north.example
starts: 2026-01-01
from: any
except: [west]
rules: [{id: r, outcome: forbid, when: {caveats: [source-sensitive]}}]
"""
BUNDLE = """
version: 3
published_by: the policy desk
members:
  north: {name: North, publishes: true, area: hill, contact: {desk: d, phone: "01", email: e}, principal: p}
  south: {name: South, receives: true, country: IE, competent_authority: false}
  west: {name: West, receives: true}
areas: {hill: hill.geojson, vale: {file: all.geojson, where: {name: Vale}}}
roles: {desk: {north: [desk-1]}}
people: {desk-1: {name: A. Smith, user: asmith, token_sha256: "%s"}}
discretion: [desk]
never-states: {north: {flags: no such field}}
suspended: [{agreement: A, who: x, why: y}]
""" % ("0a" * 32)
EXCHANGE = """
exchange: demo
partitions: 6
replication: 1
members: {north: {name: North, publishes: true, contact: {desk: d}}}
limits: {max_event_bytes: 2048, transaction_ms: 50, transaction_events: 10}
"""


def told(schema: Schema, node: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(schema).iter_errors(plain(node))]


def written(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


class Desk:
    """Reads files as the loader does, each for itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        square = [[[0, 51], [1, 51], [1, 52], [0, 52], [0, 51]]]
        vale = {
            "type": "Feature",
            "properties": {"name": "Vale"},
            "geometry": {"type": "Polygon", "coordinates": square},
        }
        for name in ("hill.geojson", "all.geojson"):
            (folder / name).write_text(json.dumps({"type": "FeatureCollection", "features": [vale]}), "utf-8")
        _, facts = self._bundle_file(BUNDLE)
        self.known = Known(facts.members, ("hill", "vale"), ("desk",))

    def agreement(self, text: str) -> tuple[Any, list[str]]:
        """The file's root, and what the loader finds wrong."""
        root, faults = self._root(text)
        if root is not None:
            read_agreement(root, self.known, faults)
        return root, [str(fault) for fault in faults.noted]

    def bundle(self, text: str) -> tuple[Any, list[str]]:
        return self._bundle_file(text)[0]

    def exchange(self, text: str) -> tuple[Any, list[str]]:
        root, _ = self._root(text)
        try:
            load_exchange(self.folder / "file.yaml")
        except Rejected as why:
            return root, [str(why)]
        return root, []

    def _bundle_file(self, text: str) -> tuple[tuple[Any, list[str]], Any]:
        root, faults = self._root(text)
        facts = read_bundle_file(root, self.folder, faults) if root is not None else None
        return (root, [str(fault) for fault in faults.noted]), facts

    def _root(self, text: str) -> tuple[Any, Faults]:
        path = self.folder / "file.yaml"
        path.write_text(text, "utf-8")
        faults = Faults("file.yaml")
        return read_yaml(path, faults), faults


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_agreement_of_the_demonstration_and_of_the_tests_fits(path: Path) -> None:
    faults = Faults(path.name)
    assert told(agreement_schema(), read_yaml(path, faults)) == []
    names = Names.of(load_bundle(path.parents[1]))
    assert told(agreement_schema(names), read_yaml(path, faults)) == []
    assert faults.noted == []


@pytest.mark.parametrize("text", GUIDE, ids=lambda text: text.split("\n")[0])
def test_every_agreement_of_the_guide_fits(text: str, desk: Desk) -> None:
    root, _ = desk.agreement(text)
    assert told(agreement_schema(), root) == []


def test_bundles_and_exchanges_fit(desk: Desk) -> None:
    for text in (GUIDE_BUNDLE, *((bundle / "bundle.yaml").read_text("utf-8") for bundle in BUNDLES)):
        assert told(bundle_schema(), desk.bundle(text)[0]) == []
    assert told(exchange_schema(), desk.exchange((HERE / "exchange.yaml").read_text("utf-8"))[0]) == []


CASES = {
    "agreement": (EVERYTHING, agreement_schema(), Desk.agreement, 0.93),
    "standing": (STANDING, agreement_schema(), Desk.agreement, 0.9),
    "bundle": (BUNDLE, bundle_schema(), Desk.bundle, 0.85),
    "exchange": (EXCHANGE, exchange_schema(), Desk.exchange, 0.9),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_schema_refuses_does_not_load_and_it_sees_most_of_what_the_loader_sees(name: str, desk: Desk) -> None:
    text, schema, read, expected = CASES[name]
    root, faults = read(desk, text)
    assert (faults, told(schema, root)) == ([], []), "the file that is spoilt is sound"
    validator = Draft7Validator(schema)
    loader_alone, both = [], 0
    document = plain(root)
    assert read(desk, written(document))[1] == [], "what is written from it is sound"
    for how, spoiled in spoilt(document):
        root, faults = read(desk, written(spoiled))
        fits = validator.is_valid(plain(root)) if root is not None else False
        assert fits or faults, f"the schema refuses what the loader takes: {how}"
        assert all(re.match(r"\S+:[1-9]\d*:[1-9]\d*: .{8,1000}$", fault) for fault in faults if name != "exchange"), (
            faults
        )
        if faults:
            loader_alone += [how] if fits else []
            both += not fits
    assert both > 60
    assert both / (both + len(loader_alone)) > expected, loader_alone


@pytest.mark.parametrize("gone", ["purpose", "regime", "legal_basis", "retain", "share", "review"])
def test_what_a_share_rule_needs_of_its_file_is_missed(gone: str, desk: Desk) -> None:
    document = plain(desk.agreement(EVERYTHING)[0])
    del document[gone]
    document["rules"][0].pop(gone, None)
    root, faults = desk.agreement(written(document))
    assert faults
    assert told(agreement_schema(), root)


def _enums(schema: Any) -> Iterator[frozenset[str]]:
    if isinstance(schema, dict):
        if "enum" in schema:
            yield frozenset(schema["enum"])
        for value in schema.values():
            yield from _enums(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _enums(value)


def _keys(schema: Any) -> Iterator[frozenset[str]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield frozenset(schema["properties"])
        for value in schema.values():
            yield from _keys(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _keys(value)


def test_every_key_and_every_word_that_the_loader_allows_is_in_a_schema(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: dict[str, frozenset[str]] = {}
    vocabularies: dict[str, frozenset[str]] = {}
    init, word = Fields.__init__, Vocabulary.word

    def noting(self: Fields, node: Any, what: str, keys: Any, faults: Faults) -> None:
        allowed[what] = frozenset(keys)
        init(self, node, what, keys, faults)

    def noting_words(self: Vocabulary, node: Any, faults: Faults) -> str:
        vocabularies[self.name] = frozenset(self.words)
        return word(self, node, faults)

    monkeypatch.setattr(words.Fields, "__init__", noting)
    monkeypatch.setattr(words.Vocabulary, "word", noting_words)
    for text in (EVERYTHING, STANDING):
        assert desk.agreement(text)[1] == []
    assert desk.bundle(BUNDLE)[1] == []
    of_bundle = {"north", "south", "west", "hill", "vale", "desk", "desk-1", "recipient", "origin"}
    schemas = (agreement_schema(), bundle_schema())
    keys = {found for schema in schemas for found in _keys(schema)}
    lists = {found for schema in schemas for found in _enums(schema)}
    missing = {what: names for what, names in allowed.items() if names not in keys and not names <= of_bundle}
    assert missing == {}
    unknown = {name: found for name, found in vocabularies.items() if found not in lists and not found <= of_bundle}
    assert unknown == {}
    assert len(allowed) >= 18
    assert len(vocabularies) >= 20


def test_each_key_is_explained() -> None:
    def unexplained(schema: Any) -> Iterator[str]:
        for name, definition in schema["definitions"].items():
            yield from (f"{name}.{key}" for key, of in definition["properties"].items() if len(of["description"]) < 8)

    assert list(unexplained(agreement_schema())) == []


def command(*words: str) -> str:
    result = CliRunner().invoke(cli, ["agreements", "schema", *words])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.mark.parametrize("kind", ["agreement", "bundle", "exchange"])
def test_the_command_prints_what_is_committed(kind: str) -> None:
    committed = (ROOT / "docs" / "reference" / f"{kind}.schema.json").read_text("utf-8")
    assert command("--of", kind) == committed
    Draft7Validator.check_schema(json.loads(committed))


def test_with_a_bundle_the_names_of_its_members_and_roles_are_completed(desk: Desk) -> None:
    schema = json.loads(command("--names-of", str(HERE / "agreements")))
    (origin,) = _enums(schema["definitions"]["what-an-example-gives"]["properties"]["origin"])
    assert {"west-yorkshire", "greater-manchester"} <= origin
    text = FILES[0].read_text("utf-8")
    assert "greater-manchester" in text
    wrong, _ = desk.agreement(text.replace("greater-manchester", "greater-manchster"))
    assert told(schema, wrong)


def test_names_are_of_agreements_alone() -> None:
    words = ["agreements", "schema", "--of", "bundle", "--names-of", str(HERE / "agreements")]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "is for the schema of an agreement" in result.output


def test_a_new_file_tells_editors_where_its_schema_is_and_fits_it(tmp_path: Path) -> None:
    given = ("--exchange", str(HERE / "exchange.yaml"), "--from", "west-yorkshire", "--to", "greater-manchester")
    assert CliRunner().invoke(cli, ["agreements", "new", str(tmp_path / "mine"), *given]).exit_code == 0
    file = tmp_path / "mine" / "agreements" / "new-1.yaml"
    first = file.read_text("utf-8").split("\n")[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = json.loads((file.parent / first.partition("=")[2]).read_text("utf-8"))
    assert told(schema, read_yaml(file, Faults(file.name))) == []
