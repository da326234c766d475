"""The reference pages of what people type: the command line, and ``exchange.yaml``."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click
from pydantic import BaseModel

from deploy.cli import COMMANDS, cli
from deploy.docs_markdown import table
from schemas import exchange

_WIDTH: Final = 100


def commands_page() -> str:
    """The help of every command that can be imported, just as the terminal shows it."""
    page = "# Command line\n\nAn error is one line on stderr, and exit code 1; wrong usage is exit code 2.\n"
    for path, help_text in _helps(cli, "huecry", None):
        level = "#" * min(2 + path.count(" "), 4)
        page += f"\n{level} {path}\n\n```text\n{help_text}\n```\n"
    return page


def command_faults() -> list[str]:
    """One line for each command of ``deploy.cli.COMMANDS`` that cannot be imported."""
    found = []
    for name in COMMANDS:
        try:
            cli.get_command(click.Context(cli), name)
        except (ImportError, AttributeError) as error:
            found.append(f"cli.md: command {name} is listed in deploy.cli.COMMANDS and does not import: {error}")
    return found


def _helps(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    name = path.rpartition(" ")[2]
    context = click.Context(command, parent=parent, info_name=name, terminal_width=_WIDTH, **command.context_settings)
    yield path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    if isinstance(command, click.Group):
        for sub_name in command.list_commands(context):
            try:
                sub_command = command.get_command(context, sub_name)
            except (ImportError, AttributeError):  # command_faults tells
                continue
            if sub_command is not None and not sub_command.hidden:
                yield from _helps(sub_command, f"{path} {sub_name}", context)


def exchange_page() -> str:
    """Every setting of ``exchange.yaml``, from the models that read it."""
    page = (
        "# exchange.yaml\n\n" + _plain(inspect.getdoc(exchange) or "") + "\n\nA key that is not listed is an error.\n"
    )
    models = _models_within(exchange.Exchange)
    for model in models:
        heading = "The file" if model is exchange.Exchange else model.__name__
        page += f"\n## {heading}\n\n{_plain(inspect.getdoc(model) or '')}\n\n{settings_table(model)}\n"
    return page


def _models_within(root: type[BaseModel]) -> list[type[BaseModel]]:
    definitions = root.model_json_schema().get("$defs", {})
    return [root, *(getattr(exchange, name) for name in sorted(definitions))]


def settings_table(model: type[BaseModel]) -> str:
    """Every field of a model of settings: value, default, and the text beneath it."""
    schema, docs = model.model_json_schema(), _attribute_docs(model)
    required = set(schema.get("required", ()))
    rows = [
        [
            f"`{name}`",
            _kind_text(about),
            "required" if name in required else _default_text(about.get("default"), about),
            _plain(docs.get(name, about.get("description", ""))),
        ]
        for name, about in schema["properties"].items()
    ]
    return table(["key", "value", "default", "what it says"], rows)


def _kind_text(about: Mapping[str, Any]) -> str:
    match about:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": kinds}:
            return " or ".join(_kind_text(kind) for kind in kinds)
        case {"type": "object"}:
            return f"map of id to {_kind_text(_value_schema(about))}"
        case {"type": "array", "items": items}:
            return f"list of {_kind_text(items)}"
        case {"enum": values}:
            return " or ".join(f"`{value}`" for value in values)
    named = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`", "null": "nothing"}
    return named.get(str(about.get("type")), str(about.get("type", "any"))) + _bounds_text(about)


def _value_schema(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the values of a map are: pydantic writes them per pattern, where the keys have one."""
    per_pattern: Mapping[str, Mapping[str, Any]] = about.get("patternProperties", {})
    plain: Mapping[str, Any] = about.get("additionalProperties") or {}
    return next(iter(per_pattern.values()), plain)


def _bounds_text(about: Mapping[str, Any]) -> str:
    if "pattern" in about:
        return f" like `{about['pattern']}`"
    bounds = {"minimum": "from", "maximum": "to", "maxLength": "of at most"}
    return "".join(f" {word} {about[key]}" for key, word in bounds.items() if key in about)


def _default_text(default: object, about: Mapping[str, Any]) -> str:
    if "$ref" in about:
        return "its defaults"
    match default:
        case None | "":
            return "nothing"
        case bool():
            return f"`{str(default).lower()}`"
    return f"`{default}`"


def _attribute_docs(model: type[BaseModel]) -> dict[str, str]:
    """The texts that stand beneath the fields of a model: Python itself drops them."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    found: dict[str, str] = {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, following in itertools.pairwise(statements):
        match field, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found


def _plain(docstring: str) -> str:
    """A docstring as Markdown: one kind of code quotes."""
    return docstring.replace("``", "`")
