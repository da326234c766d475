"""Telling people at a force's desk that somebody is asked: a webhook or a command for each case opened or escalated.

- ``notices`` makes of a case record what is told: which case, what happened, which role is asked, until when. Nothing
  else: no incident, no member, no section, no name. Whoever is told looks with ``huecry cases``.
- ``notifiers`` tell it: a webhook or a command.
- ``telling`` is the sink: it remembers what was told, across restarts, and tells again what may not have been.
- ``running`` puts these together with the subscriber of the force's cases.

Each is told at least once. Who was killed between telling and remembering tells again, under the same notice_id.
"""
