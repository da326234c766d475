"""docs/mapping.md: every YAML example loads, and every record shown becomes what is shown."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from producers.mapping_load import load_mapping
from producers.rehearsal import rehearse, stated
from producers.settings import FileInput, file_source, mapper
from schemas.exchange import Exchange

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "mapping.md").read_text("utf-8")
EXCHANGE = Exchange.model_validate({"exchange": "docs", "members": {"kent": {"name": "Kent", "publishes": True}}})
HEAD = {
    "mapping": "mapping: example",
    "system": "system: cad",
    "incident_key": "incident_key: file-digest-and-line",
    "event_key": "event_key: file-digest-and-line",
}
REQUIRED = "  kind: {constant: created}\n  mode: {constant: actual}\n  recorded_at: {now: true}\n"


class Example(NamedTuple):
    """A mapping file, or a part of one; a record file; the event of its last record but those that follow."""

    mapping: str
    kind: str
    records: str
    event: dict[str, Any]


def blocks() -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)


def examples() -> list[Example]:
    found, records = [], ("", "")
    mapping = None
    for language, text in blocks():
        if language == "yaml":
            assert mapping is None, f"this example shows no result:\n{mapping}"
            mapping = text
        elif language in {"csv", "jsonl"}:
            records = (language, text)
        elif language == "json":
            assert mapping is not None
            found.append(Example(mapping, *records, json.loads(text)))
            mapping = None
    assert mapping is None
    return found


def whole(part: str) -> str:
    """A whole mapping file: what the example leaves out is added."""
    given = yaml.safe_load(part)
    if "mapping" in given:
        return part
    part = re.sub(r"^fields:\n", "fields:\n" + REQUIRED, part, flags=re.MULTILINE)
    return "\n".join(line for key, line in HEAD.items() if key not in given) + "\n" + part


def test_the_guide_has_examples_and_no_yaml_without_a_result():
    assert len(examples()) == len([language for language, _ in blocks() if language == "yaml"]) >= 9


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.mapping.splitlines()[0][:30])
def test_every_record_shown_becomes_the_event_shown(example, tmp_path):
    path, source = tmp_path / "example.mapping.yaml", tmp_path / f"records.{example.kind}"
    path.write_text(whole(example.mapping), "utf-8")
    source.write_text(example.records, "cp1252" if "cp1252" in example.mapping else "utf-8")
    mapping = load_mapping(path)
    make = mapper(mapping, EXCHANGE, "kent")
    result = rehearse(file_source(FileInput(source, path), mapping), make, datetime.now(UTC), 100)
    assert result.set_aside.total() == 0, result.messages
    opened = file_source(FileInput(source, path), mapping)
    opened.resume(None)
    events = [stated(make(record, datetime.now(UTC)).event) for record in opened.read(100)]
    opened.close()
    shown = [event for event in events if holds(event, example.event)]
    assert len(shown) == 1, events


def holds(event: Any, shown: Any) -> bool:
    """Whether the event says all that is shown."""
    if isinstance(shown, dict):
        return isinstance(event, dict) and all(name in event and holds(event[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return len(event) == len(shown) and all(holds(*pair) for pair in zip(event, shown, strict=True))
    return bool(event == shown)


def test_a_fault_reads_as_the_guide_shows_it(tmp_path):
    """The line in the guide is what the loader says of its first example with that misspelling."""
    (shown,) = re.findall(r"^kent\.mapping\.yaml:(\d+):(\d+): (.*)\.\.\.$", GUIDE, flags=re.MULTILINE)
    from schemas.errors import Rejected

    path = tmp_path / "kent.mapping.yaml"
    path.write_text(examples()[0].mapping.replace("S: priority", "S: prioriti"), "utf-8")
    with pytest.raises(Rejected) as refused:
        load_mapping(path)
    line, column, text = re.fullmatch(r".*:(\d+):(\d+): (.*)", str(refused.value)).groups()
    assert text.startswith(shown[2])
    assert (line, column) == shown[:2]


def test_the_real_mapping_maps_every_record_of_the_sample():
    demo = ROOT / "deploy" / "demo"
    told = FileInput(demo / "west-yorkshire-sample.csv", demo / "west-yorkshire.mapping.yaml")
    mapping = load_mapping(told.mapping)
    result = rehearse(file_source(told, mapping), mapper(mapping, EXCHANGE, "kent"), datetime.now(UTC), 10_000)
    assert (result.records, result.events, result.incidents) == (600, 600, 600)
    assert result.filled["locations[].district"] == 590
    assert "Open Government Licence v3.0" in (demo / "DATA.md").read_text("utf-8")


def test_the_districts_of_the_sample_lie_on_both_sides_of_the_border():
    demo = ROOT / "deploy" / "demo"
    told = FileInput(demo / "west-yorkshire-sample.csv", demo / "west-yorkshire.mapping.yaml")
    mapping = load_mapping(told.mapping)
    source = file_source(told, mapping)
    source.resume(None)
    make = mapper(mapping, EXCHANGE, "kent")
    drafts = [make(record, datetime.now(UTC)) for record in source.read(1000)]
    source.close()
    districts = {place.district for draft in drafts for place in draft.event.locations}
    assert {"Leeds", "Bradford", "Kirklees", "Wakefield", "Calderdale"} < districts
    assert {"Barnsley", "Craven", "Harrogate", "Selby", "East Riding of Yorkshire", "Oldham"} < districts
