"""What may stand in ``exchange.yaml``, as far as no other test says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import Rejected
from schemas.exchange import AnswersWithin, load_exchange

PLAIN = """
exchange: tests
members:
  north: {name: Northern force, publishes: true}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "exchange.yaml"
    path.write_text(PLAIN + text, "utf-8")
    return path


def test_the_limits_of_answers_are_lists_of_seconds(tmp_path: Path) -> None:
    found = load_exchange(written(tmp_path, "answers: {transfer_s: [120, 180], correction_s: [], retraction_s: [900]}"))
    assert found.answers == AnswersWithin(transfer_s=(120, 180), correction_s=(), retraction_s=(900,))


@pytest.mark.parametrize("wrong", ["60", "['60']", "[1.5]", "[0]", "{a: 1}"])
def test_a_limit_that_is_no_list_of_whole_seconds_is_refused_with_its_place(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(Rejected, match=r"exchange\.yaml:5:\d+: answers\.transfer_s"):
        load_exchange(written(tmp_path, f"answers: {{transfer_s: {wrong}}}"))
