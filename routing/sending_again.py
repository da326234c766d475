"""The latest event of an incident, decided again and sent: because of a ruling, or since a member can be reached."""

from __future__ import annotations

from routing.arrived import Arrived
from routing.circulation import Circulation, circulation
from routing.consequences import Consequences
from routing.deciding import Decisions, decide_afresh, decide_all
from routing.disclose import Positions, disclosed
from routing.effects import Record
from routing.state.holding import holding_after
from routing.what_came_before import what_came_before


def decide_again(came: Arrived, drawn: Consequences) -> Decisions:
    """Decide it for every recipient, knowing all that is drawn so far."""
    decide = decide_all if came.is_usual else decide_afresh
    return decide(drawn.setting.policy.bundle, came.considered, came.now, drawn.incident().state())


def send_again(
    came: Arrived,
    decisions: Decisions,
    cause: str,
    drawn: Consequences,
    because_of: Record | None = None,
) -> Circulation:
    """Deliver it, with its record, and remember who holds it now; to whom it went.

    Args:
        came: the event.
        decisions: what was decided for those that are to have it, by `decide_again`.
        cause: what the deliveries and the record are told by from others of the event.
        drawn: what follows for the incident, to which this is added.
        because_of: the record that the disclosure record names; None: the event's own.

    Raises:
        Rejected: a section that somebody is granted is malformed; then nothing was added.
    """
    policy, before = drawn.setting.policy, drawn.incident()
    circulated = circulation(decisions, policy.suspended)
    positions = Positions(drawn.numbers, drawn.stream, before.closed_ms, what_came_before(before))
    shown = came if because_of is None else came.because_of(because_of)
    outputs, streams = disclosed(shown, circulated, policy, drawn.setting.codec, positions, cause)
    drawn.outputs += outputs
    drawn.streams |= streams
    for to in circulated.recipients:
        drawn.numbers[to] = drawn.numbers.get(to, 0) + 1
    standing = (*drawn.rulings.releases, *drawn.rulings.discretions, *drawn.rulings.overrides)
    for each in decisions:
        if (to := each.recipient) in circulated.recipients:
            held = holding_after(policy.bundle, each.decision, to, drawn.holdings.pop(to, None), standing)
            drawn.holdings |= {to: held} if held else {}
    return circulated
