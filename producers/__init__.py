"""The world to Kafka: a force's records become incident events, each once, in order, whatever is killed or away.

    source ─► mapping ─► spool (SQLite) ─► publisher ─► incidents.<force>
                └─► set aside, with the reason and the original

- ``sources``: records with positions: files, a synthetic control room. A source keeps nothing; the spool keeps its
  position.
- ``mapping`` (``load_mapping``, ``FieldMapping.draft``): a record and the time give a draft of an event, or a
  `Rejected`. Pure and total; never a guess. docs/mapping.md is its manual.
- ``spool``: position, events and records set aside in one transaction; gives sequence and event_id, knows repeats.
- ``send_order`` and ``publisher``: from the spool to Kafka, live beside backlog, in order per incident.
- ``runner``: the loop. ``settings.production`` puts it together. ``setaside`` maps again what was set aside or refused.
- ``rehearsal``: a mapping tried out, nothing sent.

What always holds: what the spool has acknowledged to its source reaches Kafka, under one event_id and sequence however
often it is sent; within an incident nothing overtakes; no message, log line or metric holds what a person typed.
"""
