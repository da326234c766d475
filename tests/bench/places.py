"""What measuring places against areas costs, in microseconds of processor time: sixty areas, each like a force's.

python -m tests.bench.places
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Final

import numpy as np

from routing.agreements.measured import geography_of
from routing.geography.cells import cell_of
from routing.geography.measuring import Geography
from routing.geography.shapes import as_geometry
from tests.routing.geography.drawn import border, bundle_of

AREAS: Final = 60
CORNERS: Final = 2_000
"""Of each area: police force areas generalised to 20 m have one to four thousand."""
WEST, SOUTH, EAST, NORTH = -5.0, 50.5, 1.0, 55.5


def sixty_areas(distances: tuple[int, ...] = (), corners: int = CORNERS) -> Geography:
    """Areas of some 60 km across that cover England and overlap, as neighbours' border strips do."""
    rng = np.random.default_rng(60)
    middles = rng.uniform((WEST, SOUTH), (EAST, NORTH), (AREAS, 2)).tolist()
    geometries = {
        f"area-{number}": as_geometry([[border(rng, (x, y), 0.3, corners)]]) for number, (x, y) in enumerate(middles)
    }
    geography = geography_of(bundle_of(geometries, distances))
    geography.make_index()
    return geography


def measure_places(points: int) -> dict[str, float]:
    """Microseconds of a point against sixty areas, of locating it; and seconds of making the index."""
    start = time.process_time()
    areas = sixty_areas()
    made_s = time.process_time() - start
    near = sixty_areas((5_000,), 500)
    somewhere = np.random.default_rng(1).uniform((WEST, SOUTH), (EAST, NORTH), (points, 2)).tolist()
    return {
        "place_in_60_areas": _cost(somewhere, areas.relations),
        "place_of_25m_in_60_areas": _cost(somewhere, lambda x, y: areas.relations(x, y, 25.0)),
        "place_in_and_near_60_areas": _cost(somewhere, near.relations),
        "cell_of_a_place": _cost(somewhere, lambda x, y: cell_of(x, y, 0.0, 1_000)),
        "index_of_60_areas_ms": made_s * 1e3,
    }


def _cost(points: list[list[float]], work: Callable[[float, float], object]) -> float:
    """The median of five rounds, in microseconds a point."""
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for x, y in points:
            work(x, y)
        rounds.append((time.process_time() - start) / len(points) * 1e6)
    return median(rounds)


if __name__ == "__main__":
    print(json.dumps({name: round(cost, 2) for name, cost in measure_places(20_000).items()}, indent=1))
