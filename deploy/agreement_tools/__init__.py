"""What the owners of agreements ask before they publish: needs no broker, and changes nothing.

``event_files`` reads events that somebody wrote down or exported; ``asking`` decides them under a bundle; ``telling``
puts the answers into words. ``analysis`` finds what rules can do to any event at all, and ``reporting`` tells it.
"""
