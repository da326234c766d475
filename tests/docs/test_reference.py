"""Reference pages say what their sources say, all of it, the same on every machine; and staleness is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from consumers import subscriber
from deploy import docs, docs_settings, docs_usage
from deploy.cli import COMMANDS, cli
from deploy.docs_markdown import table
from deploy.docs_messages import messages_page
from routing.settings import RouterSettings
from schemas import codes, topics
from schemas.catalogue import catalogue
from schemas.exchange import ControlRoom, Exchange, Limits, Member
from schemas.kafka import NOT_FROM_A_FILE, ClientSettings
from schemas.ops.metric_catalogue import CATALOGUE


@pytest.fixture(scope="module")
def pages():
    return docs.pages()


@pytest.fixture
def directory(tmp_path):
    docs.write(tmp_path)
    return tmp_path


@pytest.fixture
def every_command_imports(monkeypatch):
    monkeypatch.setattr(docs, "command_faults", list)


def test_every_metric_is_on_its_page_with_help_and_labels(pages):
    for name, metric in CATALOGUE.items():
        row = next(
            line for line in pages["metrics.md"].splitlines() if line.startswith(f"| `huecry_{name}` | {metric.kind}")
        )
        assert metric.help in row
        assert all(f"`{label}`" in row for label in metric.labels)


def test_every_code_of_every_list_is_on_its_page(pages):
    for name in codes.list_names():
        section = re.search(rf"^## {name} \(.*?(?=^## |\Z)", pages["codes.md"], re.MULTILINE | re.DOTALL)
        assert section is not None
        assert all(f"`{code}`" in section[0] for code in codes.codes(name))


def test_every_topic_family_is_on_its_page(pages):
    assert all(
        re.search(rf"^\| `{family}(\.<(member|exchange)>)?` ", pages["topics.md"], re.MULTILINE)
        for family in topics.families()
    )


def test_every_setting_of_the_exchange_is_on_its_page_with_what_its_docstring_says(pages):
    for model in (Exchange, Member, Limits, ControlRoom):
        assert all(f"| `{name}` |" in pages["exchange.md"] for name in model.model_fields)
    assert "Longest time spent deciding within one transaction." in pages["exchange.md"]
    assert "from 5 to 5000 | `50`" in pages["exchange.md"]


def test_every_message_id_field_and_symbol_is_on_its_page(pages):
    for entry in catalogue().entries:
        assert str(entry.schema_id) in pages["messages.md"]
        declared = re.findall(r'"name": "(\w+)"', json.dumps(entry.schema))
        assert all(re.search(rf"(`|## ){name}\b", pages["messages.md"]) for name in declared)


def test_a_type_is_described_once_however_often_it_is_used():
    headings = re.findall(r"^##+ (.*)$", messages_page(), re.MULTILINE)
    assert len(headings) == len(set(headings))


def anchor_of(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_link_between_the_pages_leads_somewhere(pages):
    for name, text in pages.items():
        for page, anchor in re.findall(r"\]\((?!http)([\w./-]*)#?([\w-]*)\)", text):
            if page.startswith("../"):
                assert (docs.DIRECTORY / page).exists(), f"{name} links to {page}"
                continue
            target = pages[page or name]
            headings = {anchor_of(heading) for heading in re.findall(r"^#+ (.+)$", target, re.MULTILINE)}
            assert not anchor or anchor in headings, f"{name} links to {page}#{anchor}"


def test_a_command_and_its_subcommands_are_shown_as_the_terminal_shows_them():
    @click.group()
    def tree() -> None:
        """The tree."""

    @tree.command()
    @click.option("--leaves", default=3, show_default=True, help="How many.")
    def branch(leaves: int) -> None:
        """Grow a branch."""

    helps = dict(docs_usage._helps(tree, "tree", None))
    assert list(helps) == ["tree", "tree branch"]
    assert helps["tree branch"].startswith("Usage: tree branch [OPTIONS]")
    assert "[default: 3]" in helps["tree branch"]


def test_a_listed_command_that_does_not_import_is_a_fault_and_does_not_stop_the_page(monkeypatch):
    monkeypatch.setitem(COMMANDS, "nowhere", "not written yet")
    assert any("command nowhere" in fault for fault in docs_usage.command_faults())
    assert "### huecry nowhere" not in docs_usage.commands_page()


def test_cells_hold_any_text():
    assert table(["a|b"], [["two\nlines"]]) == "| a\\|b |\n| --- |\n| two lines |"


def test_pages_just_written_have_no_faults(directory, every_command_imports):
    assert docs.faults(directory) == []


def test_writing_again_writes_nothing(directory):
    assert docs.write(directory) == []


def test_a_page_edited_by_hand_is_out_of_date_and_the_difference_is_shown(directory, every_command_imports):
    page = directory / "metrics.md"
    page.write_text(page.read_text("utf-8").replace("# Metrics", "# My metrics"), "utf-8")
    (fault,) = docs.faults(directory)
    assert fault.startswith("metrics.md: out of date (+1 -1 lines)")
    assert "-# My metrics" in fault
    assert "+# Metrics" in fault


def test_a_long_difference_is_cut_short(directory, every_command_imports):
    (directory / "codes.md").write_text("nothing", "utf-8")
    (fault,) = docs.faults(directory)
    assert re.search(r"\.\.\. and \d+ lines more$", fault)
    assert len(fault.splitlines()) < 20


def test_missing_and_unknown_pages_are_faults(directory, every_command_imports):
    (directory / "codes.md").rename(directory / "old.md")
    assert [fault.partition(";")[0] for fault in docs.faults(directory)] == [
        "codes.md: missing",
        "old.md: nothing generates it",
    ]


def test_check_fails_and_says_what_to_do_and_writes_nothing(directory, monkeypatch):
    (directory / "codes.md").unlink()
    monkeypatch.setattr(docs, "faults", lambda: ["codes.md: missing"])
    result = CliRunner().invoke(docs.main, ["--check"])
    assert result.exit_code == 1
    assert "codes.md: missing" in result.stderr
    assert "make docs" in result.stderr
    assert not (directory / "codes.md").exists()


def test_check_of_up_to_date_pages_is_silent(monkeypatch):
    monkeypatch.setattr(docs, "faults", list)
    result = CliRunner().invoke(docs.main, ["--check"])
    assert (result.exit_code, result.output) == (0, "")


def test_pages_do_not_depend_on_the_machine(pages):
    elsewhere = {**os.environ, "PYTHONHASHSEED": "1", "COLUMNS": "40", "HUECRY_BOOTSTRAP": "kafka.example:9999"}
    script = "import json; from deploy.docs import pages; print(json.dumps(pages()))"
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=elsewhere,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(printed.stdout) == pages


def section(page: str, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def test_every_option_of_every_process_that_runs_on_is_a_setting_with_its_default_and_meaning(pages):
    commands = dict(docs_settings._commands(cli, "huecry"))
    processes = {
        f"huecry {name}"
        for name in ("broker", "consume", "desk", "feedback", "ledger", "produce", "registry serve", "route")
    }
    assert processes == {name for name, command in commands.items() if docs_settings._serves_metrics(command)}
    for name in processes:
        settings = section(pages["configuration.md"], name)
        for option in commands[name].params:
            row = next(line for line in settings.splitlines() if line.startswith(f"| `{option.opts[0]}` |"))
            assert option.help.partition("  [default: ")[0] in row.replace("\\|", "|")
            assert (f"`{option.envvar}`" in row) == bool(option.envvar)
    assert "| `--workers` | whole number from 1 to 64 |  | `1` |" in pages["configuration.md"]
    assert "| `--data` | folder |  | a temporary folder, removed at the end |" in pages["configuration.md"]
    assert "| whole number of seconds from 1 to 120 |  | `10` |" in pages["configuration.md"]


def test_every_variable_of_ours_that_any_part_reads_is_on_the_page_and_no_other(pages):
    root = docs.DIRECTORY.parent.parent
    sources = [
        path
        for part in ("schemas", "producers", "routing", "consumers", "deploy")
        for path in root.joinpath(part).rglob("*.py")
    ]
    read = {name for path in sources for name in re.findall(r"envvar=\"(HUECRY_\w+)\"", path.read_text("utf-8"))}
    told = section(pages["configuration.md"], "The environment")
    assert read == set(re.findall(r"^\| `(HUECRY_\w+)`", told, re.MULTILINE))
    assert "| `HUECRY_TARGETS` | `--targets` | `status` |" in told
    assert not [path for path in sources if re.search(r"environ[^\n]*HUECRY_", path.read_text("utf-8"))]


def test_every_setting_of_a_router_and_of_our_kafka_clients_is_told(pages):
    router = section(pages["configuration.md"], "huecry route")
    for name in RouterSettings.model_fields:
        assert f"| `{name}` |" in router
    clients = section(pages["configuration.md"], "Kafka clients")
    asked = {**ClientSettings("").producer_config(), **subscriber.GROUP_SETTINGS, **subscriber.UNLESS_SAID}
    for name in asked.keys() - {"bootstrap.servers", "client.id"}:
        assert f"| `{name}` |" in clients
    assert "| `session.timeout.ms` | `6000` | consume and ledger, consuming | yes |" in clients
    assert "| `isolation.level` | `read_committed` | consume and ledger, consuming |  |" in clients
    assert all(f"| `{name}` |" in clients for name in NOT_FROM_A_FILE)


def test_what_a_file_of_client_properties_may_change_it_does_change_and_nothing_else():
    said = ClientSettings("", {"session.timeout.ms": "45000", "isolation.level": "read_uncommitted"})
    asked = {**subscriber.UNLESS_SAID, **said.consumer_config("group"), **subscriber.GROUP_SETTINGS}
    assert (asked["session.timeout.ms"], asked["isolation.level"]) == ("45000", "read_committed")
