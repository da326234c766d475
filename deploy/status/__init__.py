"""The state of an exchange at a glance: what is not flowing, for whom, since when and why.

- ``targets``: which processes to ask, from the same file that Prometheus discovers them by.
- ``looking``: the edge: ask all of them at once; one that is slow or silent holds up nobody.
- ``exposition``, ``picture``: what they answered, as plain values.
- ``flow``: two pictures → what was counted between them.
- ``figures``: per member; ``faults`` (of ``process_faults`` and ``member_faults``): what is wrong, gravest first;
  ``watch``: look after look, since when.
- ``words``, ``telling``, ``screen``, ``as_json``: the same for people, terminals and scripts.

All but ``looking`` and the reading of a targets file is pure: time is an argument, in seconds since the epoch.
"""
