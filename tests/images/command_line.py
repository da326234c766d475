"""Reads a command line as click would, without running it."""

from __future__ import annotations

from collections.abc import Sequence

import click


def parsed(command: click.Command, words: Sequence[str]) -> click.Context:
    """The innermost command's context: ``.params`` has every option's value.

    Raises:
        click.UsageError: it would be refused.
    """
    name, rest, context = "huecry", list(words), None
    while True:
        context = command.make_context(name, rest, parent=context)
        if not isinstance(command, click.Group):
            return context
        found, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        assert inner is not None
        name, command = found, inner
