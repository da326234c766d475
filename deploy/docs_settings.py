"""The reference page of settings: what every process can be told, how, and what holds if nobody says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from consumers import receipt_sender, subscriber
from deploy.cli import cli
from deploy.docs_markdown import table
from deploy.docs_usage import settings_table
from producers import link
from routing import settings as routing
from schemas.exchange import Exchange, Member
from schemas.kafka import NOT_FROM_A_FILE, ClientSettings

_ENVIRONMENT: Final = "HUECRY_"
_METRICS_PORT: Final = "metrics_port"
_EVERYWHERE: Final = ("help", "version")
_SUBSCRIBER: Final = "consume and ledger, consuming"
_SAID_DEFAULT: Final = re.compile(r"\s*\[default: (.*)\]")
"""Where no value can stand for it, a help text says in words what holds."""
_KINDS: Final = {
    "integer": "whole number",
    "float": "number",
    "filename": "file",
    "directory": "folder",
    "path": "path",
    "text": "text",
}


def configuration_page() -> str:
    """Every setting of every process that runs on, and of the Kafka clients within."""
    commands = dict(_commands(cli, "huecry"))
    processes = {name: command for name, command in commands.items() if _serves_metrics(command)}
    page = f"""# Configuration

A process is told what it must know by options of its command; some of them by the environment, where no option says so.
There is no file of settings. What holds for a whole exchange stands in [exchange.yaml](exchange.md), what a cluster's
security asks for in the file of `--client-properties`, what may be disclosed in the policy.

## The environment

{table(["variable", "the same as", "read by"], _environment(commands))}

Besides these, a producer that is not given `--spool`, and a router that is not given `--state`, keep theirs in the
folder `huecry` of `XDG_STATE_HOME` (by default `~/.local/state`); and PostgreSQL's own variables (`PGHOST`,
`PGPASSWORD`, `PGSSLMODE`, ...) hold for `--into postgresql://...`: see [receiving.md](../receiving.md).
"""
    for name, command in processes.items():
        page += f"\n## {name}\n\n{_first_line(command)}\n\n{table(_HEADS, _options(command))}\n"
        if name == "huecry route":
            page += f"\n{_ROUTER}\n\n{settings_table(routing.RouterSettings)}\n"
    return page + _clients()


_HEADS: Final = ["option", "value", "environment", "default", "what it says"]
_ROUTER: Final = """What a router works by beyond these no option changes in this release; `workers`, `instance`,
`session_timeout_ms` and `state_folder` are the options above."""


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by what one types."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is not None and not below.hidden:
            yield from _commands(below, f"{path} {name}")


def _serves_metrics(command: click.Command) -> bool:
    """Whether it runs on: what asks another process (health, status) names a port too, and serves nothing."""
    ports = [option for option in command.params if option.name == _METRICS_PORT]
    return bool(ports) and "Serve" in str(getattr(ports[0], "help", ""))


def _environment(commands: Mapping[str, click.Command]) -> list[list[str]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for name, command in commands.items():
        for option in _settable(command):
            if isinstance(option.envvar, str):
                found.setdefault(option.envvar, (option.opts[0], []))[1].append(name.removeprefix("huecry "))
    return [
        [f"`{variable}`", f"`{option}`", ", ".join(f"`{reader}`" for reader in readers)]
        for variable, (option, readers) in sorted(found.items())
    ]


def _settable(command: click.Command) -> Iterator[click.Option]:
    return (option for option in command.params if isinstance(option, click.Option) and option.name not in _EVERYWHERE)


def _options(command: click.Command) -> list[list[str]]:
    return [
        [
            f"`{option.opts[0]}`",
            _value(option),
            f"`{option.envvar}`" if option.envvar else "",
            _default(option),
            _SAID_DEFAULT.sub("", option.help or ""),
        ]
        for option in sorted(_settable(command), key=lambda option: not option.required)
    ]


def _value(option: click.Option) -> str:
    kind = option.type
    if option.is_flag:
        return "no value"
    if isinstance(kind, click.Choice):
        return " or ".join(f"`{choice}`" for choice in kind.choices)
    named = _KINDS.get(kind.name.removesuffix(" range"), kind.name)
    unit = " of seconds" if option.metavar == "SECONDS" else ""
    return named + unit + _bounds(kind)


def _bounds(kind: object) -> str:
    if not isinstance(kind, click.IntRange | click.FloatRange):
        return ""
    low = "" if kind.min is None else f" {'above' if kind.min_open else 'from'} {kind.min}"
    return low + ("" if kind.max is None else f" to {kind.max}")


def _default(option: click.Option) -> str:
    if option.required:
        return "required"
    if said := _SAID_DEFAULT.search(option.help or ""):
        return said[1]
    default: Any = option.default
    if option.is_flag:
        return "off"
    if default is None or default == () or "UNSET" in repr(default):
        return "nothing"
    return f"`{default}`"


def _first_line(command: click.Command) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())


def _clients() -> str:
    """What clients of ours ask of librdkafka, as the code makes it."""
    exchange = Exchange(exchange="example", members={"member": Member(name="Member", publishes=True, receives=True)})
    clients, router = ClientSettings("the cluster"), routing.RouterSettings()
    named = "its instance and slot"
    settings: dict[str, Mapping[str, Any]] = {
        "every producer": clients.producer_config(exchange.limits),
        "every consumer": clients.consumer_config("of the command"),
        "produce": link.SENDING,
        "consume, receipts": receipt_sender.SENDING,
        "route, producing": routing.producing(router),
        "route, in its group": routing.joining(router, named),
        "route, fetching": routing.fetching(router, exchange),
        _SUBSCRIBER: {**subscriber.UNLESS_SAID, **subscriber.GROUP_SETTINGS},
    }
    rows = [
        [f"`{name}`", f"`{_plain(value)}`", client, "yes" if _may_be_said(client, name) else ""]
        for client, asked in settings.items()
        for name, value in sorted(asked.items())
        if name not in {"bootstrap.servers", "client.id", "group.id"}
    ]
    elsewhere = [[f"`{name}`", why] for name, why in NOT_FROM_A_FILE.items()]
    return f"""
## Kafka clients

What our clients ask of librdkafka beyond its own defaults, with the limits that an exchange has by default. Later rows
go over earlier ones of the same client. A file of `--client-properties` (lines of `name=value`, in librdkafka's names)
adds what the cluster's security asks for, and may change what is marked.

{table(["setting", "value", "client", "a file may change it"], rows)}

These a file may not say:

{table(["setting", "because"], elsewhere)}
"""


def _may_be_said(client: str, name: str) -> bool:
    return client == _SUBSCRIBER and name in subscriber.UNLESS_SAID


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
