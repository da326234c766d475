"""The reference pages of what parties agree on: codes, topics and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from deploy.docs_markdown import table
from schemas import codes, topics
from schemas.exchange import Exchange, Member
from schemas.ops.metric_catalogue import CATALOGUE, Metric, Part
from schemas.ops.metrics import MAX_LABEL_VALUES, PREFIX

_COUNTED_BY: Final[Mapping[Part, str]] = {
    "producers": "Counted by `huecry produce`, for the force that it publishes for.",
    "routing": "Counted by each worker of `huecry route`; `huecry_workers` and `huecry_workers_replaced_total` by its "
    "supervisor. Events are told by the member that they are from or for.",
    "consumers": "Counted by `huecry consume`, and by `huecry ledger` where the label `store` says `ledger`.",
    "every process": "Told by each of them.",
}


def metrics_page() -> str:
    """Every metric, by the part that counts it."""
    page = f"""# Metrics

Every process serves them at `/metrics` on its `--metrics-port`, to its own machine unless `--metrics-host` says more. A
label's value is a slug: a member's id or a code. Whatever else is given counts as `other`, and so does the
{MAX_LABEL_VALUES + 1}st value of one label. Units are as the names say; counters begin at 0 when a process starts.
Besides these there is what Prometheus' own client tells of a process: `process_start_time_seconds`,
`process_resident_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds` and the like.

What they are for: [operating.md](../operating.md) (Prometheus, Grafana), [status.md](../status.md) (a terminal).
"""
    for part in dict.fromkeys(metric.part for metric in CATALOGUE.values()):
        rows = [_metric_row(name, metric) for name, metric in CATALOGUE.items() if metric.part == part]
        heads = ["metric", "kind", "labels", "what it says"]
        page += f"\n## {part.capitalize()}\n\n{_COUNTED_BY[part]}\n\n{table(heads, rows)}\n"
    buckets = [
        [f"`{PREFIX}{name}`", ", ".join(map(_plain_number, metric.buckets))]
        for name, metric in CATALOGUE.items()
        if metric.buckets
    ]
    return f"{page}\n## Buckets of histograms\n\n{table(['metric', 'upper bounds, in its unit'], buckets)}\n"


def _plain_number(value: float) -> str:
    return f"{value:.7f}".rstrip("0").rstrip(".")


def _metric_row(name: str, metric: Metric) -> list[str]:
    labels = [
        f"`{label}`" + (f" ({', '.join(values)})" if values is not None else "")
        for label, values in metric.labels.items()
    ]
    return [f"`{PREFIX}{name}`", metric.kind, "; ".join(labels), metric.help]


def codes_page() -> str:
    """Every code of every list."""
    closed = set(codes.enum_names())
    page = """# Codes

`unknown` belongs to every list, at every level, and alone means *not stated*. Closed lists are Avro enums, written
`STAND_DOWN` on the wire and `stand-down` everywhere else; open lists are text, and a receiver shows a code it does not
know as it is. An agreement that names a code means whatever lies beneath it too. Category names are NSIR-like: they
follow the National Standard for Incident Recording as remembered, unchecked against the published text.
"""
    for name in codes.list_names():
        kind = "closed" if name in closed else "open"
        page += f"\n## {name} ({kind})\n\n{_code_lines(codes.codes(name))}\n"
    return page


def _code_lines(listed: Sequence[str]) -> str:
    if not any("/" in code for code in listed):
        return ", ".join(f"`{code}`" for code in listed)
    tops = [code for code in listed if "/" not in code]
    beneath = {top: [code for code in listed if code.startswith(top + "/")] for top in tops}
    return "\n".join(
        f"- `{top}`" + (f": {', '.join(f'`{code}`' for code in beneath[top])}" if beneath[top] else "") for top in tops
    )


def topics_page() -> str:
    """Every family of topics, with settings as an exchange has them by default."""
    exchange = Exchange(exchange="example", members={"member": Member(name="Member", publishes=True, receives=True)})
    specs = topics.topic_specs(exchange)
    families = topics.families()
    rows = [
        [
            f"`{spec.name.replace('.member', '.<member>').replace('.example', '.<exchange>')}`",
            families[spec.family].holds,
            f"every {families[spec.family].each}".replace("every exchange", "one in all"),
            f"[{record}](messages.md#{record.lower()})" if (record := families[spec.family].record) else "no Avro",
            families[spec.family].written_by,
            families[spec.family].read_by,
            "`partitions`" if families[spec.family].partitions in ("input", "state") else str(spec.partitions),
            "for ever" if (days := families[spec.family].kept_days) is None else f"{days} d",
        ]
        for spec in specs
    ]
    shared = {key: value for key, value in specs[0].config.items() if all(s.config[key] == value for s in specs)}
    own = [
        [
            f"`{spec.family}`",
            " ".join(f"`{key}={value}`" for key, value in sorted(spec.config.items() - shared.items())),
        ]
        for spec in specs
    ]
    return f"""# Topics

`huecry provision apply` makes them from [exchange.yaml](exchange.md). Who writes and who reads is what the exchange
means by each; no access rules are made of it yet. Records are read with `isolation.level=read_committed`. For one
member's side, with every schema, as a file for its own tools: `huecry asyncapi`
([one of the demonstration's](asyncapi/west-yorkshire.yaml)).

{table(["topic", "what it holds", "for", "values", "written by", "read by", "partitions", "kept"], rows)}

## Keys

The partitioner is murmur2, as Java clients have it (`partitioner=murmur2_random` in librdkafka).

{table(["family", "the key of a record"], [[f"`{name}`", family.key] for name, family in families.items()])}

## Settings of every topic

The reasons stand beside them in `schemas/topics.yaml`.

{table(["setting", "value"], [[f"`{key}`", f"`{shared[key]}`"] for key in sorted(shared)])}

## Settings by family

With the limits that an exchange has by default.

{table(["family", "settings"], own)}
"""
