"""Whether every delivery arrives, and each once: the numbers that a router gives them, without gaps, in each stream.

A stream is a recipient and a router partition. A number that is passed over is a delivery that is missing; one that two
deliveries bear means that a router has lost its count. Both are alarms: a row of ``stream_gap``, a metric, a log line.
What is missing can be read again (`consumers.replaying`), and when it comes its place is filled. A repeat of a delivery
that is here already is none of this.

``counting`` is pure; ``noting`` keeps the counts in the transaction that writes the deliveries.
"""
