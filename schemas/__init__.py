"""The contract between control rooms: what a message is, as bytes and as data. Imports nothing else of ours.

A tour, in the order in which a message meets it:

========================  ==============================================================================================
``avro/*.avsc``           what every message is: the truth, frozen once released (``avro/released.sha256``)
``catalogue``             which schema id means which schema, pinned; a Delivery for each version of its event
``codes``, ``sections``   the code lists, and the sections that are the unit of sharing
``event``, ``records``    the same as frozen models: made and read by people who do not want to think of Avro
``wire``                  the frame (byte 0, schema id) and Avro's numbers
``steps``, ``walk``       bytes checked one by one: what two readers could read differently is refused
``cut``                   **the cut**: sections found without decoding, blanked with one byte
``places``, ``located``   what in a section tells a place, and the section with every place told coarsely
``rewrite``               events that other libraries wrote, put in the form that can be cut
``codec``                 all of that as messages: encode, open, decode; ``parts`` makes bytes that recur only once
``registry_api``          the schemas for partners' own deserialisers; ``registry`` finds those newer than this release
``exchange``, ``topics``  who the members are, and the topics that follow from it
``kafka``                 the settings that every Kafka client of ours shares; ``partitioner`` says where a key belongs
``errors``                what to do next: wait, set aside, or stop
``ops``                   metrics, logs and health of every process
========================  ==============================================================================================

>>> from datetime import UTC, datetime
>>> from schemas.codec import EventCodec
>>> from schemas.event import Contact, IncidentEvent, Resource
>>> event = IncidentEvent(origin="west-yorkshire", incident_id="WY-1", kind="created", contact=Contact(),
...                       sent_at=datetime(2026, 1, 1, tzinfo=UTC), resources=(Resource(callsign="WY01"),))
>>> entry, opened = EventCodec().open(EventCodec().encode(event.to_avro()), max_bytes=262144)
>>> opened.head["kind"], sorted(opened.non_empty), opened.section("resources")[0]["callsign"]
('CREATED', ['resources'], 'WY01')
>>> EventCodec().form(entry).decode(opened.view(keep=()))["resources"]
[]

Invariants, each held by a test in ``tests/schemas``:

1. Whatever arrives is a message or a `Rejected` with a reason: quickly, in memory in proportion to its size, and
   without a word of what people typed.
2. What leaves in a view decodes to the same event in every library, and holds the sections named and no other; never
   ``control``.
3. Encoding is canonical: the same event is the same bytes.
4. A released schema, its id and its symbols never change; every version reads what every other wrote.
5. Models and schemas say the same, field by field.
"""
