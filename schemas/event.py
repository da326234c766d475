"""The incident event as models: what ``avro/incident_event.v1.avsc`` says, where its fields are explained."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

from schemas.exchange import Slug
from schemas.model import Int, Long, Model, Moment, code_of

Kind = Annotated[str, *code_of("kind")]


Mode = Annotated[str, *code_of("mode")]


Grade = Annotated[str, *code_of("grade")]


Status = Annotated[str, *code_of("status")]


Marking = Annotated[str, *code_of("marking")]


Accuracy = Annotated[str, *code_of("accuracy")]


Completeness = Annotated[str, *code_of("completeness")]


Reliability = Annotated[str, *code_of("reliability")]


class Quality(Model):
    """How far a statement can be relied on: DPA 2018 s.38(5)(b) asks that a recipient can judge it."""

    accuracy: Accuracy = "unknown"
    completeness: Completeness = "unknown"
    reliability: Reliability = "unknown"
    as_of: Moment | None = None


class Contact(Model):
    """Whom to call at the origin: a desk, never a named person."""

    desk: str = ""
    phone: str = ""
    email: str = ""


class Reference(Model):
    """Another event of any origin."""

    origin: str
    incident_id: str
    event_id: str = ""


class Link(Model):
    """Another incident that belongs with this one."""

    origin: str
    incident_id: str
    relation: str = ""


class Change(Model):
    """One field that a correction changes."""

    path: str
    reason: str = ""
    wrong_from_start: bool = False


class Control(Model):
    """For the router; never delivered."""

    sequence: Long = 0
    addressees: tuple[str, ...] = ()
    refers_to: Reference | None = None
    links: tuple[Link, ...] = ()
    caveats: tuple[str, ...] | None = None
    changes: tuple[Change, ...] = ()


class Classification(Model):
    """What kind of incident the origin says it is."""

    category: str | None = None
    opening_category: str | None = None
    closing_category: str | None = None
    local_code: str | None = None
    local_text: str | None = None
    local_grade: str | None = None
    qualifiers: tuple[str, ...] | None = None
    flags: tuple[str, ...] | None = None


class Point(Model):
    """WGS84 position."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Location(Model):
    """A place."""

    location_ref: str = ""
    kind: str = ""
    point: Point | None = None
    radius_m: float | None = None
    cell: str | None = None
    cell_size: str | None = None
    source: str | None = None
    verified: bool | None = None
    as_of: Moment | None = None
    address: str | None = None
    postcode: str | None = None
    uprn: str | None = None
    usrn: str | None = None
    premises: str | None = None
    access: str | None = None
    road: str | None = None
    junction: str | None = None
    direction: str | None = None
    district: str | None = None
    beat: str | None = None
    force_area: str | None = None
    quality: Quality | None = None


class Names(Model):
    """What the person is called."""

    given: str | None = None
    family: str | None = None
    aliases: tuple[str, ...] = ()


class Identifier(Model):
    """A number in somebody's records."""

    kind: str
    value: str


class WarningMarker(Model):
    """A warning about a person."""

    code: str
    source: str = ""
    date: dt.date | None = None


class Person(Model):
    """A person in one role. The same person in two roles has the same person_ref."""

    person_ref: str = ""
    role: str = ""
    names: Names | None = None
    date_of_birth: dt.date | None = None
    age_stated: Int | None = None
    age_band: str | None = None
    sex: str | None = None
    ethnicity: str | None = None
    height_cm: Int | None = None
    build: str | None = None
    hair: str | None = None
    marks: str | None = None
    clothing: str | None = None
    phones: tuple[str, ...] = ()
    home: Location | None = None
    identifiers: tuple[Identifier, ...] = ()
    language: str | None = None
    interpreter: bool | None = None
    communication_needs: str | None = None
    medical_need: str | None = None
    warning_markers: tuple[WarningMarker, ...] = ()
    relationship: str | None = None
    state: str | None = None
    identified_by: str | None = None
    photo_available: bool | None = None
    quality: Quality | None = None


class Casualty(Model):
    """Casualties without names: what an ambulance service needs."""

    count: Int = 1
    age_band: str | None = None
    sex: str | None = None
    conscious: bool | None = None
    breathing: bool | None = None
    injury: str | None = None
    trapped: bool | None = None
    priority: str | None = None
    quality: Quality | None = None


class Vehicle(Model):
    """A vehicle."""

    vehicle_ref: str = ""
    vrm: str | None = None
    vrm_certainty: str | None = None
    country: str | None = None
    make: str | None = None
    model: str | None = None
    colour: str | None = None
    body: str | None = None
    role: str = ""
    markers: tuple[str, ...] = ()
    occupants: Int | None = None
    direction: str | None = None
    speed_kmh: float | None = None
    position: Location | None = None
    as_of: Moment | None = None
    dangerous_goods: str | None = None
    keeper_ref: str | None = None
    quality: Quality | None = None


class LogLine(Model):
    """One line of the log. Lines keep their entry_id from snapshot to snapshot."""

    entry_id: str
    at: Moment | None = None
    entered_at: Moment | None = None
    author_role: str = ""
    line_class: str = ""
    about: tuple[str, ...] = ()
    text: str
    quality: Quality | None = None


class Resource(Model):
    """A unit sent. Officers are callsigns only."""

    callsign: str
    kind: str | None = None
    status: str | None = None
    as_of: Moment | None = None


class Hazard(Model):
    """A danger to whoever attends."""

    kind: str
    certainty: str | None = None
    as_of: Moment | None = None
    place: str | None = None
    un_number: str | None = None
    precaution: str | None = None
    quality: Quality | None = None


class IncidentEvent(Model):
    """One incident as its origin knew it at one moment: the whole of it, never a difference.

    A head that every recipient sees, then sections that an agreement grants or not.
    """

    origin: Slug
    incident_id: Annotated[str, Field(min_length=1, max_length=200)]
    event_id: str = ""
    local_ref: str = ""
    kind: Kind = "unknown"
    mode: Mode = "unknown"
    occurred_at: Moment | None = None
    recorded_at: Moment | None = None
    sent_at: Moment
    effective_at: Moment | None = None
    category: str = "unknown"
    grade: Grade = "unknown"
    status: Status = "unknown"
    primacy: str | None = None
    marking: Marking = "unknown"
    handling: tuple[str, ...] | None = None
    quality: Quality | None = None
    contact: Contact
    control: tuple[Control, ...] = ()
    classification: tuple[Classification, ...] = ()
    locations: tuple[Location, ...] = ()
    suspects: tuple[Person, ...] = ()
    convicted: tuple[Person, ...] = ()
    victims: tuple[Person, ...] = ()
    witnesses: tuple[Person, ...] = ()
    callers: tuple[Person, ...] = ()
    subjects: tuple[Person, ...] = ()
    associates: tuple[Person, ...] = ()
    casualties: tuple[Casualty, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    facts: tuple[LogLine, ...] = ()
    assessments: tuple[LogLine, ...] = ()
    narrative: tuple[LogLine, ...] = ()
    resources: tuple[Resource, ...] = ()
    hazards: tuple[Hazard, ...] = ()
