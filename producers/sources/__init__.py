"""Where a force's records come from, each behind the same small Protocol (``producers.sources.source``).

``synthetic`` makes up a control room; ``places``, ``invented``, ``sheet``, ``scene`` and ``stories`` are its parts.
"""
