"""Panels as Grafana wants them. The only module that imports grafana-foundation-sdk: extra ``dashboards``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.dashboards.panels import Board, Column, Figure, Graph, Look, Panel, Query, Row, Table, laid_out

DATA_SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Whichever Prometheus is chosen at the top of the dashboard; the default one if nobody chooses."""

_PanelBuilder = stat.Panel | table.Panel | timeseries.Panel


def drawn(board: Board, runbooks: str = "") -> str:
    """The dashboard as JSON, the same for the same board; `runbooks` is the address of docs/runbook, if it has one."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags(list(board.tags))
        .readonly()
        .time("now-3h", "now")
        .refresh("30s")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .annotation(_marks(board.marks))
        .link(_to_all_boards(board.tags))
    )
    for number, (what, place) in enumerate(laid_out(board), 1):
        position = model.GridPos(h=place.height, w=place.width, x=place.x, y=place.y)
        if isinstance(what, Row):
            builder.with_row(dashboard.Row(what.title).id(number).grid_pos(position))
        else:
            builder.with_panel(_panel(what, runbooks).id(number).grid_pos(position))
    text = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(builder.build())
    return text + "\n"


def read_back(text: str) -> str:
    """What the SDK's own model makes of a dashboard's JSON, as JSON again."""
    read = model.Dashboard.from_json(json.loads(text))
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(read) + "\n"


def _marks(expr: str) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery().name("Alerts firing").datasource(DATA_SOURCE).icon_color("red").expr(expr)


def _to_all_boards(tags: Sequence[str]) -> dashboard.DashboardLink:
    link = dashboard.DashboardLink("Whole exchange and members").type(model.DashboardLinkType.DASHBOARDS)
    return link.tags(list(tags)).as_dropdown(True).keep_time(True)  # noqa: FBT003  the SDK's signature


def _panel(panel: Panel, runbooks: str) -> _PanelBuilder:
    match panel:
        case Figure():
            built: _PanelBuilder = _figure(panel)
        case Graph():
            built = _graph(panel)
        case Table():
            built = _table(panel)
        case _:
            raise TypeError(f"a panel is a Figure, a Graph or a Table, not {type(panel).__name__}")
    return built.title(panel.title).description(_description(panel, runbooks)).datasource(DATA_SOURCE)


def _description(panel: Panel, runbooks: str) -> str:
    """What Grafana shows, as Markdown, behind the panel's information mark."""
    if not panel.alerts:
        return panel.about
    pages = [
        f"[{alert}]({runbooks.rstrip('/')}/{alert}.md)" if runbooks else f"docs/runbook/{alert}.md"
        for alert in panel.alerts
    ]
    return f"{panel.about}\n\nWhat to do: {', '.join(pages)}"


def _figure(panel: Figure) -> stat.Panel:
    built = (
        stat.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))  # noqa: FBT003
        .color_mode(shapes.BigValueColorMode.BACKGROUND if panel.look.colours else shapes.BigValueColorMode.NONE)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .text_mode(shapes.BigValueTextMode.VALUE_AND_NAME if len(panel.queries) > 1 else shapes.BigValueTextMode.VALUE)
        .unit(panel.look.unit)
        .color_scheme(_by_thresholds())
        .thresholds(_thresholds(panel.look))
        .mappings(_mappings(panel.look))
    )
    for number, query in enumerate(panel.queries):
        built.with_target(_target(number, query).instant().legend_format(query.called))
    return built


def _graph(panel: Graph) -> timeseries.Panel:
    built = (
        timeseries.Panel()
        .unit(panel.look.unit)
        .min(0)
        .line_width(1)
        .fill_opacity(10)
        .show_points(shapes.VisibilityMode.AUTO)
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .thresholds(_thresholds(panel.look))
        .legend(
            common.VizLegendOptions()
            .display_mode(shapes.LegendDisplayMode.LIST)
            .placement(shapes.LegendPlacement.BOTTOM)
            .show_legend(True)  # noqa: FBT003
        )
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING))
    )
    if panel.look.colours:
        built.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphTresholdsStyleMode.LINE))
    for number, query in enumerate(panel.queries):
        built.with_target(_target(number, query).range().legend_format(query.called))
    return built


def _table(panel: Table) -> table.Panel:
    built = table.Panel().show_header(True).cell_height(shapes.TableCellHeight.SM)  # noqa: FBT003
    built.color_scheme(_by_thresholds()).thresholds(_thresholds(Look()))
    for number, column in enumerate(panel.columns):
        built.with_target(_target(number, column.query).instant().format(PromQueryFormat.TABLE))
        built.override_by_name(column.query.called, _cells(column))
    headings = list(panel.by.values())
    if panel.link:
        built.override_by_name(headings[0], [model.DynamicConfigValue("links", [_cell_link(panel)])])
    if len(panel.columns) > 1:
        joined = {"byField": next(iter(panel.by)), "mode": "outer"}
        built.with_transformation(model.DataTransformerConfig("joinByField", options=joined))
    return built.with_transformation(model.DataTransformerConfig("organize", options=_organised(panel)))


def _organised(panel: Table) -> dict[str, Any]:
    """Which fields of the joined answers stand where and under what heading; the times of the queries stand nowhere."""
    several = len(panel.columns) > 1
    values = [f"Value #{_letter(number)}" if several else "Value" for number in range(len(panel.columns))]
    times = ["Time", *(f"Time {number}" for number in range(1, len(panel.columns) + 1))]
    return {
        "excludeByName": dict.fromkeys(times, True),
        "indexByName": {name: place for place, name in enumerate([*panel.by, *values])},
        "renameByName": {
            **panel.by,
            **{value: column.query.called for value, column in zip(values, panel.columns, strict=True)},
        },
    }


def _cells(column: Column) -> list[model.DynamicConfigValue]:
    look = column.look
    cells = [model.DynamicConfigValue("unit", look.unit)]
    if look.unit == "none":
        cells.append(model.DynamicConfigValue("decimals", 0))  # an increase is estimated, and so never quite whole
    if look.colours:
        cells.append(model.DynamicConfigValue("thresholds", _thresholds(look, "transparent").build()))
        cells.append(model.DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
    if look.words:
        cells.append(model.DynamicConfigValue("mappings", _mappings(look)))
    return cells


def _cell_link(panel: Table) -> model.DashboardLink:
    return dashboard.DashboardLink("Dashboard of ${__value.text}").url(panel.link).build()


def _target(number: int, query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).ref_id(_letter(number)).datasource(DATA_SOURCE)


def _letter(number: int) -> str:
    return chr(ord("A") + number)


def _by_thresholds() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)


def _thresholds(look: Look, calm: str = "green") -> dashboard.ThresholdsConfig:
    lowest = model.Threshold(None, calm if look.colours else "text")
    above = [model.Threshold(value, colour) for value, colour in look.colours]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([lowest, *above])


def _mappings(look: Look) -> list[model.ValueMapping]:
    if not look.words:
        return []
    words = {f"{value:g}": model.ValueMappingResult(text=word) for value, word in look.words.items()}
    return [model.ValueMap(words)]
