"""Tables that show the sections in plain columns: current content, for receivers to search.

``section`` holds the same as JSON, whole; what has no column here is there. Lists are JSON lists.
"""

from __future__ import annotations

from typing import Final

from consumers.sinks.table import Table

OF_INCIDENT: Final = """
    origin TEXT NOT NULL  -- member whose incident it is
    incident_id TEXT NOT NULL  -- its name there
"""
"""The columns that name an incident, in every table that is about one."""

_PLACE_IN_SECTION: Final = (
    OF_INCIDENT
    + """
    section TEXT NOT NULL
    ordinal INTEGER NOT NULL  -- place in the section, from 1
"""
)
_QUALITY: Final = """
    accuracy TEXT
    completeness TEXT
    reliability TEXT
    quality_as_of TIME
"""
_KEY: Final = "origin, incident_id, section, ordinal"

CLASSIFICATION: Final = Table(
    "classification",
    _KEY,
    _PLACE_IN_SECTION
    + """
    category TEXT  -- full path
    opening_category TEXT
    closing_category TEXT
    local_code TEXT
    local_text TEXT
    local_grade TEXT
    qualifiers JSON  -- JSON list; NULL: the origin does not say
    flags JSON  -- JSON list; NULL: the origin does not say
    """,
    indexes=("category",),
)

LOCATION: Final = Table(
    "location",
    _KEY,
    _PLACE_IN_SECTION
    + """
    location_ref TEXT
    kind TEXT
    latitude REAL  -- WGS84
    longitude REAL
    radius_m REAL
    cell TEXT
    cell_size TEXT
    source TEXT
    verified BOOLEAN
    as_of TIME
    address TEXT
    postcode TEXT
    uprn TEXT
    usrn TEXT
    premises TEXT
    access TEXT
    road TEXT
    junction TEXT
    direction TEXT
    district TEXT
    beat TEXT
    force_area TEXT
    """
    + _QUALITY,
    indexes=("postcode", "district"),
)

PERSON: Final = Table(
    "person",
    _KEY,
    _PLACE_IN_SECTION
    + """
    person_ref TEXT  -- the same for one person in two roles
    role TEXT
    given TEXT
    family TEXT
    aliases JSON  -- JSON list
    date_of_birth DATE
    age_stated INTEGER
    age_band TEXT
    sex TEXT
    ethnicity TEXT
    height_cm INTEGER
    build TEXT
    hair TEXT
    marks TEXT
    clothing TEXT
    phones JSON  -- JSON list
    home_address TEXT
    home_postcode TEXT
    identifiers JSON  -- JSON list of kind and value
    language TEXT
    interpreter BOOLEAN
    communication_needs TEXT
    medical_need TEXT
    warning_markers JSON  -- JSON list of code, source, date
    relationship TEXT
    state TEXT
    identified_by TEXT
    photo_available BOOLEAN
    """
    + _QUALITY,
    indexes=("family, given",),
)

CASUALTY: Final = Table(
    "casualty",
    _KEY,
    _PLACE_IN_SECTION
    + """
    count INTEGER
    age_band TEXT
    sex TEXT
    conscious BOOLEAN
    breathing BOOLEAN
    injury TEXT
    trapped BOOLEAN
    priority TEXT
    """
    + _QUALITY,
)

VEHICLE: Final = Table(
    "vehicle",
    _KEY,
    _PLACE_IN_SECTION
    + """
    vehicle_ref TEXT
    vrm TEXT  -- registration mark
    vrm_certainty TEXT
    country TEXT
    make TEXT
    model TEXT
    colour TEXT
    body TEXT
    role TEXT
    markers JSON  -- JSON list
    occupants INTEGER
    direction TEXT
    speed_kmh REAL
    latitude REAL  -- where it was last seen, WGS84
    longitude REAL
    as_of TIME
    dangerous_goods TEXT
    keeper_ref TEXT
    """
    + _QUALITY,
    indexes=("vrm",),
)

RESOURCE: Final = Table(
    "resource",
    _KEY,
    _PLACE_IN_SECTION
    + """
    callsign TEXT
    kind TEXT
    status TEXT
    as_of TIME
    """,
)

HAZARD: Final = Table(
    "hazard",
    _KEY,
    _PLACE_IN_SECTION
    + """
    kind TEXT
    certainty TEXT
    as_of TIME
    place TEXT
    un_number TEXT
    precaution TEXT
    """
    + _QUALITY,
    indexes=("kind",),
)

LOG_ENTRY: Final = Table(
    "log_entry",
    "origin, incident_id, section, entry_id",
    OF_INCIDENT
    + """
    section TEXT NOT NULL  -- facts, assessments or narrative
    entry_id TEXT NOT NULL  -- the same from event to event
    ordinal INTEGER NOT NULL  -- place in the section, from 1
    at TIME  -- when what it tells happened
    entered_at TIME
    author_role TEXT
    line_class TEXT
    about JSON  -- JSON list of person_ref, vehicle_ref, location_ref
    text TEXT
    """
    + _QUALITY
    + """
    first_seen_at TIME NOT NULL  -- when this system first had it
    last_seen_at TIME NOT NULL  -- when an event last had it
    delivery_id TEXT NOT NULL  -- that event's delivery
    """,
    kept=("first_seen_at",),
)

CONTENT: Final = {
    "classification": CLASSIFICATION,
    "locations": LOCATION,
    "suspects": PERSON,
    "convicted": PERSON,
    "victims": PERSON,
    "witnesses": PERSON,
    "callers": PERSON,
    "subjects": PERSON,
    "associates": PERSON,
    "casualties": CASUALTY,
    "vehicles": VEHICLE,
    "facts": LOG_ENTRY,
    "assessments": LOG_ENTRY,
    "narrative": LOG_ENTRY,
    "resources": RESOURCE,
    "hazards": HAZARD,
}
"""Section → the table that shows it in plain columns; `section` has it whole, as JSON."""
