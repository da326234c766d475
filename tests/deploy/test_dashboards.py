"""Dashboards: what an operator asks first stands first, and nothing in them names what does not exist."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from deploy.cli import cli
from deploy.dashboards import files, promql
from deploy.dashboards.alerting import JOB
from deploy.dashboards.boards import boards, uid
from deploy.dashboards.drawing import drawn, read_back
from deploy.dashboards.panels import Board, Figure, Graph, Panel, Query, Row, Table
from deploy.dashboards.uncharted import metrics_asked, uncharted_row
from schemas.errors import Fatal, Rejected
from schemas.exchange import Exchange, Member, load_exchange
from schemas.ops.metric_catalogue import CATALOGUE
from schemas.ops.metrics import PREFIX
from tests.deploy.dashboard_queries import Asked, named, panels, queries_in

DEMO = load_exchange(files.DEMONSTRATION)
COMMITTED = {path.stem: json.loads(path.read_text("utf-8")) for path in files.COMMITTED.glob("*.json")}
WHOSE = {"origin", "recipient", "member", "whose"}
OF_ALERTS = {"alertname", "severity", "service", "instance"} | WHOSE
OF_PROMETHEUS = {"ALERTS": OF_ALERTS | {"alertstate"}, "ALERTS_FOR_STATE": OF_ALERTS, "up": {"job", "instance"}}
REPOSITORY = Path(__file__).parents[2]
RULES = [
    rule
    for path in sorted((REPOSITORY / "deploy" / "prometheus" / "rules").glob("*.yaml"))
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"] for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}


def labels_of(metric: str) -> set[str]:
    """The labels that a metric may have, in Prometheus."""
    if metric in OF_PROMETHEUS:
        return OF_PROMETHEUS[metric]
    if metric in RECORDED:
        return set(metric.partition(":")[0].split("_"))
    name = metric.removeprefix(PREFIX)
    part = name if name in CATALOGUE else re.sub(r"_(bucket|sum|count)$", "", name)
    own = set(CATALOGUE[part].labels) | {"instance"}
    return own | {"le"} if name.endswith("_bucket") else own


def lines(panel: dict[str, Any]) -> set[tuple[int, int]]:
    """The cells of the grid that a panel covers."""
    place = panel["gridPos"]
    return set(
        itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))
    )


def asking(*expressions: str) -> Panel:
    return Graph(title="t", about="a", width=4, queries=tuple(Query(expression) for expression in expressions))


# --------------------------------------------------------------------------------------------------- what they ask


@pytest.mark.parametrize("asked", queries_in(files.COMMITTED), ids=lambda asked: f"{asked.dashboard}-{asked.panel}")
def test_every_query_names_only_catalogued_metrics_with_labels_they_have(asked: Asked) -> None:
    metrics, labels = named(asked.expr)
    assert metrics, "a query names a metric"
    for metric in metrics - OF_PROMETHEUS.keys() - RECORDED:
        name = metric.removeprefix(PREFIX)
        parts = [name.removesuffix(ending) for ending in ("_bucket", "_sum", "_count") if name.endswith(ending)]
        assert name in CATALOGUE or any(CATALOGUE[part].kind == "histogram" for part in parts if part in CATALOGUE)
    assert labels <= set().union(*(labels_of(metric) for metric in metrics))


def test_every_alert_is_explained_by_a_panel_and_panels_name_no_other() -> None:
    exchange, *members = boards(DEMO).values()
    assert {alert for row in exchange.rows for panel in row.panels for alert in panel.alerts} == ALERTS
    for board in members:
        assert {alert for row in board.rows for panel in row.panels for alert in panel.alerts} <= ALERTS


def test_the_reader_of_queries_finds_what_does_not_exist() -> None:
    """The claim above can fail: names and labels are found wherever they stand."""
    assert named('sum by (nobody) (rate(huecry_made_up_total{colour=~"a|b"}[5m])) / on (x) other offset 1h') == (
        {"huecry_made_up_total", "other"},
        {"nobody", "colour", "x"},
    )
    assert named('label_replace(up, "member", "$1", "origin", "(.+)") or vector(0)') == ({"up"}, set())
    assert named("max by (member) (x)")[1] == {"member"}


def test_a_name_or_label_that_the_catalogue_lacks_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="no metric 'made_up'"):
        promql.at_most_now("made_up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no label colour"):
        promql.at_most_now("input_lag_seconds", "colour")
    with pytest.raises(ValueError, match="no outcome=eaten"):
        promql.per_second("decisions_total", outcome="eaten")
    with pytest.raises(ValueError, match="no le="):
        promql.series("decisions_total", le="5")


def test_every_catalogued_metric_is_on_the_dashboard_of_the_exchange() -> None:
    asked = metrics_asked(asked.expr for asked in queries_in(files.COMMITTED) if asked.dashboard == DEMO.exchange)
    assert asked == set(CATALOGUE)


def test_a_metric_that_nobody_has_charted_gets_a_panel_with_the_catalogues_words() -> None:
    row = uncharted_row([])
    assert row is not None
    assert {panel.about for panel in row.panels} == {metric.help for metric in CATALOGUE.values()}
    titles = [panel.title for panel in row.panels]
    assert len(set(titles)) == len(titles)


def test_a_member_never_sees_what_others_keep_from_it() -> None:
    """Whether anything was held back is the origin's to know (design.md, section 2)."""
    for asked in queries_in(files.COMMITTED):
        if asked.dashboard != DEMO.exchange and "decisions_total" in asked.expr:
            whose = asked.dashboard.removeprefix(f"{DEMO.exchange}-")
            if f'origin="{whose}"' in asked.expr:
                continue
            assert f'recipient="{whose}"' in asked.expr
            assert 'outcome=~"shared|shared-in-part|undeliverable"' in asked.expr, asked


def test_a_members_dashboard_asks_about_that_member_alone() -> None:
    for asked in queries_in(files.COMMITTED):
        if asked.dashboard == DEMO.exchange:
            continue
        whose = asked.dashboard.removeprefix(f"{DEMO.exchange}-")
        selectors = re.findall(r"(?:huecry_\w+|ALERTS\w*)(\{[^}]*\})?", asked.expr)
        assert all(re.search(rf'(origin|recipient|member|whose)="{whose}"', selector) for selector in selectors), asked


def test_promtool_takes_every_query(tmp_path: Path) -> None:
    """By Prometheus' own parser, as the rules of a file."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool here: apt-get install prometheus")
    rules = [
        {"record": f"asked:{number}", "expr": asked.expr.replace("$__rate_interval", "1m")}
        for number, asked in enumerate(queries_in(files.COMMITTED))
    ]
    path = tmp_path / "asked.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    promtool = subprocess.run(
        ["promtool", "check", "rules", str(path)], check=False, capture_output=True, text=True, timeout=120
    )
    assert promtool.returncode == 0, promtool.stdout + promtool.stderr
    assert f"SUCCESS: {len(rules)} rules found" in promtool.stdout


# ------------------------------------------------------------------------------------------------ how they are laid


def test_the_first_screen_answers_what_does_not_flow_for_whom_since_when_and_why() -> None:
    first = {panel["title"]: panel for panel in COMMITTED["demo"]["panels"] if panel["gridPos"]["y"] < 20}
    headings = first["Members"]["transformations"][-1]["options"]["renameByName"]
    assert set(headings.values()) >= {"Member", "Alerts", "Captured", "Routed", "Durable", "To be routed", "Suspended"}
    assert {"Alerts firing", "Members suspended", "Policy in force", "Workers"} <= set(first)
    since = first["Why: alerts that fire"]["transformations"][-1]["options"]["renameByName"]
    assert set(since.values()) == {"Alert", "Severity", "Whom", "Service", "Process", "Since"}


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_panels_lie_within_the_grid_side_by_side_and_have_numbers_of_their_own(name: str) -> None:
    shown = panels(COMMITTED[name])
    taken: set[tuple[int, int]] = set()
    for panel in shown:
        cells = lines(panel)
        assert not cells & taken, panel["title"]
        assert all(0 <= x < 24 for x, _ in cells), panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in shown}) == len(shown)


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_every_panel_says_in_words_what_it_shows(name: str) -> None:
    for panel in panels(COMMITTED[name]):
        if panel["type"] != "row":
            assert len(panel["description"].split()) >= 5, panel["title"]
            assert panel["targets"], panel["title"]
            references = [target["refId"] for target in panel["targets"]]
            assert len(set(references)) == len(references), panel["title"]
            assert panel["options"], panel["title"]


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_every_query_goes_to_the_prometheus_that_is_chosen_at_the_top(name: str) -> None:
    dashboard = COMMITTED[name]
    (variable,) = dashboard["templating"]["list"]
    assert (variable["type"], variable["query"], variable["name"]) == ("datasource", "prometheus", "datasource")
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(dashboard):
        if panel["type"] != "row":
            assert panel["datasource"] == chosen
            assert all(target["datasource"] == chosen for target in panel["targets"])
    assert [mark["datasource"] for mark in dashboard["annotations"]["list"]] == [chosen]


def test_what_is_well_is_quiet_and_thresholds_rise() -> None:
    for dashboard in COMMITTED.values():
        for found in _values_of(dashboard, "thresholds"):
            steps = [step["value"] for step in found["steps"]]
            assert steps[0] is None
            assert steps[1:] == sorted(steps[1:])
            assert found["steps"][0]["color"] in {"green", "text", "transparent"}
            assert all(step["color"] in {"yellow", "red"} for step in found["steps"][1:])


def _values_of(tree: Any, key: str) -> list[dict[str, Any]]:
    """Every value that a key has anywhere in a dashboard, as a field's default or as an override."""
    if isinstance(tree, list):
        return [found for each in tree for found in _values_of(each, key)]
    if not isinstance(tree, dict):
        return []
    own = [tree[key]] if key in tree else []
    own += [tree["value"]] if tree.get("id") == key else []
    return own + [found for each in tree.values() for found in _values_of(each, key)]


def test_tables_hide_the_times_of_their_queries_and_name_every_column() -> None:
    for dashboard in COMMITTED.values():
        for panel in panels(dashboard):
            if panel["type"] != "table":
                continue
            organised = panel["transformations"][-1]["options"]
            columns = len(panel["targets"])
            hidden = {"Time", *(f"Time {number}" for number in range(1, columns + 1))}
            assert set(organised["excludeByName"]) == hidden
            letters = [target["refId"] for target in panel["targets"]]
            values = [f"Value #{letter}" for letter in letters] if columns > 1 else ["Value"]
            assert set(values) <= set(organised["renameByName"])
            assert all(target["format"] == "table" and target["instant"] for target in panel["targets"])
            heads = set(organised["renameByName"].values())
            assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} <= heads


def test_there_is_one_for_the_exchange_and_one_for_each_member_each_known_by_its_own_name() -> None:
    assert set(COMMITTED) == {"demo", *(f"demo-{member}" for member in DEMO.members)}
    assert len({dashboard["uid"] for dashboard in COMMITTED.values()}) == len(COMMITTED)
    assert len({dashboard["title"] for dashboard in COMMITTED.values()}) == len(COMMITTED)


def test_a_member_is_one_click_away_from_the_table_of_members() -> None:
    (table,) = [panel for panel in COMMITTED["demo"]["panels"] if panel["title"] == "Members"]
    (links,) = [
        setting["value"]
        for override in table["fieldConfig"]["overrides"]
        for setting in override["properties"]
        if setting["id"] == "links"
    ]
    assert (
        links[0]["url"].replace("${__value.text}", "west-yorkshire") == f"/d/{COMMITTED['demo-west-yorkshire']['uid']}"
    )


def test_long_names_give_short_addresses_of_their_own() -> None:
    names = [f"a-member-with-a-very-long-name-indeed-number-{number}" for number in range(5)]
    found = {uid("an-exchange-with-a-long-name", name) for name in names}
    assert len(found) == len(names)
    assert all(len(short) <= 40 and re.fullmatch(r"[a-z0-9-]+", short) for short in found)
    long = Exchange(exchange="long", members={name: Member(name=name, receives=True) for name in names})
    (table,) = [panel for row in boards(long)["long"].rows for panel in row.panels if panel.title == "Members"]
    assert isinstance(table, Table)
    assert not table.link, "no link is better than one that leads nowhere"


def test_a_member_that_only_receives_is_asked_nothing_as_an_origin() -> None:
    member = next(name for name, facts in DEMO.members.items() if not facts.publishes)
    asked = [
        query.expr for row in boards(DEMO)[f"demo-{member}"].rows for panel in row.panels for query in panel.asks()
    ]
    assert asked
    assert not any(f'huecry_input_lag_seconds{{origin="{member}"' in expr for expr in asked)


# ------------------------------------------------------------------------------------------------------ as files


def test_the_committed_ones_are_what_their_sources_say_to_the_byte() -> None:
    assert files.committed_faults() == []
    assert files.texts(DEMO) == files.texts(DEMO)


def test_what_is_out_of_date_missing_or_left_over_is_told(tmp_path: Path) -> None:
    files.write(DEMO, tmp_path)
    assert files.committed_faults(tmp_path) == []
    (tmp_path / "demo.json").write_text("{}")
    (tmp_path / "demo-rivers-agency.json").unlink()
    (tmp_path / "demo-nobody.json").write_text("{}")
    assert files.committed_faults(tmp_path) == [
        "demo-rivers-agency.json: missing",
        "demo.json: out of date",
        "demo-nobody.json: nothing generates it; delete it",
    ]


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_the_libraries_own_model_reads_them_back_without_loss(name: str) -> None:
    text = (files.COMMITTED / f"{name}.json").read_text("utf-8")
    assert read_back(text) == text


def test_huecry_dashboards_writes_those_of_an_exchange_and_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "ours.json").write_text("ours")
    into = ["--exchange", str(files.DEMONSTRATION), "--into", str(tmp_path)]
    told = CliRunner().invoke(cli, ["dashboards", *into], catch_exceptions=False)
    assert "demo.json" in told.output
    assert {path.name for path in tmp_path.iterdir()} == {"ours.json", *(f"{name}.json" for name in COMMITTED)}
    assert json.loads((tmp_path / "demo.json").read_text("utf-8")) == COMMITTED["demo"]
    again = CliRunner().invoke(cli, ["dashboards", *into], catch_exceptions=False)
    assert "nothing written" in again.output
    assert (tmp_path / "ours.json").read_text() == "ours"


def test_panels_link_to_the_runbook_where_it_can_be_read() -> None:
    panel = Figure(title="t", about="What it shows.", width=3, queries=(Query("up"),), alerts=("Quarantine", "Lag"))
    board = Board("uid", "t", "about", ("huecry",), "ALERTS", (Row("", (panel,)),))
    (told,) = panels(json.loads(drawn(board, "https://wiki.example/runbook/")))
    pages = "[Quarantine](https://wiki.example/runbook/Quarantine.md), [Lag](https://wiki.example/runbook/Lag.md)"
    assert told["description"] == f"What it shows.\n\nWhat to do: {pages}"
    (told,) = panels(json.loads(drawn(board)))
    assert told["description"].endswith("What to do: docs/runbook/Quarantine.md, docs/runbook/Lag.md")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    into = ["--exchange", str(files.DEMONSTRATION), "--into", str(tmp_path / "file" / "folder")]
    told = CliRunner().invoke(cli, ["dashboards", *into])
    assert isinstance(told.exception, Rejected)
    assert "expected a folder to write to" in str(told.exception)


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = [name for name in sys.modules if name.startswith(("grafana_foundation_sdk", "deploy.dashboards.drawing"))]
    for module in loaded:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "grafana_foundation_sdk", None)
    into = ["--exchange", str(files.DEMONSTRATION), "--into", str(tmp_path)]
    told = CliRunner().invoke(cli, ["dashboards", *into])
    assert isinstance(told.exception, Fatal)
    assert "pip install 'huecry[dashboards]'" in str(told.exception)


def test_huecry_starts_without_the_extra() -> None:
    program = (
        "import sys; sys.modules['grafana_foundation_sdk'] = None; from deploy.cli import main; "
        "sys.argv = ['huecry', 'dashboards', '--help']; main()"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120, cwd=REPOSITORY
    )
    assert told.returncode == 0, told.stderr
    assert "Write Grafana dashboards" in told.stdout


# ------------------------------------------------------------------------------------------------------- grafana


def test_grafana_is_given_the_folder_and_the_prometheus_of_the_compose_file() -> None:
    provisioning = files.COMMITTED.parent / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "huecry.yaml").read_text())["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert (source["type"], source["url"], source["isDefault"]) == ("prometheus", "http://prometheus:9090", True)
    scraped = yaml.safe_load((REPOSITORY / "deploy" / "prometheus" / "prometheus.yaml").read_text())
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"], "rates are taken over four"
    assert JOB in {job["job_name"] for job in scraped["scrape_configs"]}


def test_a_kind_of_panel_that_nobody_can_draw_is_a_fault_of_ours() -> None:
    from deploy.dashboards.drawing import _panel

    with pytest.raises(TypeError, match="a Figure, a Graph or a Table"):
        _panel(Panel(title="t", about="a", width=3), "")
    with pytest.raises(NotImplementedError):
        Panel(title="t", about="a", width=3).asks()
    assert Figure(title="t", about="a", width=3, queries=(Query("up"),)).asks() == (Query("up"),)
    assert asking("up").asks() == (Query("up"),)
