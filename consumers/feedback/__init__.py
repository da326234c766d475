"""Feedback to the origin: what became of a force's own events, written where its people see it.

The same subscriber and loop as for deliveries, over ``feedback.<force>``, into one or several of: a database with a
line for each incident and member (`database_sink`), a webhook (`webhook_sink`), JSON Lines (`file_sink`). Each has
its own position and its own place in the consumer group, so that one that is away holds up none of the others.

``record`` opens a record of any released version, ``status`` (pure) makes the line that a dispatcher reads.
"""
