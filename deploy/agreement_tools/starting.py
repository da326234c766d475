"""A new agreement file, commented, to be filled in; and the bundle around it where there is none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from deploy.agreement_tools.schemas import agreement_schema, as_json
from schemas.errors import Rejected
from schemas.exchange import Member

_REVIEW_AFTER: Final = timedelta(days=182)
_BUNDLE: Final = """\
# Everything that decisions depend on, besides the agreements beside it in agreements/.
version: 1                               # rises with each bundle published
published_by: FILL IN                    # who puts it in force
members: {exchange}
# roles:                                 # who holds each role, by member: who may be asked, and may override
#   duty-inspector: {{{origin}: [inspector.desk]}}
# never-states:                          # sets that a member's system cannot record, and why
#   {origin}: {{caveats: "our system has no such field"}}
"""


@dataclass(frozen=True, slots=True)
class Parties:
    """Between whom."""

    origins: Sequence[str]
    recipients: Sequence[str]


def start(
    directory: Path, exchange_file: Path, members: Mapping[str, Member], parties: Parties, name: str, today: date
) -> list[Path]:
    """Write a starter file; ``bundle.yaml`` and a schema for editors where there is none. Nothing there is touched.

    Args:
        directory: the bundle; made where it is not there.
        exchange_file: the exchange.yaml that the bundle names as its members.
        members: of that exchange.
        parties: from whom to whom.
        name: the agreement's reference.
        today: when it starts.

    Returns:
        What was written.

    Raises:
        Rejected: ``not-a-party``: one does not publish, or does not receive; ``exists``: the file is there.
    """
    _check(parties, members)
    bundle, agreement = directory / "bundle.yaml", directory / "agreements" / f"{name.lower()}.yaml"
    if agreement.exists():
        raise Rejected("exists", f"{agreement} is there already", remedy="give the new one another --id")
    agreement.parent.mkdir(parents=True, exist_ok=True)
    written = [agreement]
    if not bundle.exists():
        relative = os.path.relpath(exchange_file.resolve(), directory.resolve())
        bundle.write_text(_BUNDLE.format(exchange=relative, origin=parties.origins[0]), "utf-8")
        written.insert(0, bundle)
    if not (schema := directory / "agreement.schema.json").exists():
        schema.write_text(as_json(agreement_schema()), "utf-8")
        written.append(schema)
    agreement.write_text(_filled(members, parties, name, today), "utf-8")
    return written


def _check(parties: Parties, members: Mapping[str, Member]) -> None:
    publishing = sorted(name for name, member in members.items() if member.publishes)
    receiving = sorted(name for name, member in members.items() if member.receives)
    for names, able, does in ((parties.origins, publishing, "publishes"), (parties.recipients, receiving, "receives")):
        if wrong := [name for name in names if name not in able]:
            message = f"{', '.join(wrong)}: no member that {does}; {does}: {', '.join(able) or 'none'}"
            raise Rejected("not-a-party", message)
    if not set(parties.recipients) - set(parties.origins[:1]):
        raise Rejected("not-a-party", "an agreement needs a recipient other than its origin")


def _filled(members: Mapping[str, Member], parties: Parties, name: str, today: date) -> str:
    competent = all(members[recipient].competent_authority for recipient in parties.recipients)
    origin = parties.origins[0]
    template = Template(files("deploy.agreement_tools").joinpath("starter.yaml").read_text("utf-8"))
    return template.substitute(
        id=name,
        title=f"{members[origin].name} with {', '.join(members[each].name for each in parties.recipients)}",
        regime="part-3" if competent else "uk-gdpr",
        legal_basis="DPA 2018 s.35(2)(b)" if competent else "UK GDPR Art. 6(1)(e)",
        origin=origin,
        recipient=next(each for each in parties.recipients if each != origin),
        origins=", ".join(parties.origins),
        recipients=", ".join(parties.recipients),
        today=today.isoformat(),
        review=(today + _REVIEW_AFTER).isoformat(),
    )
