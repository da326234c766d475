"""What every process says of itself: metrics, logs and health.

Nothing here can carry personal data: metrics take slugs only, logs take listed keys in listed shapes only, and both
say so in place of what they refuse. Metrics count what happens; logs say what an operator must know, so that normal
operation emits none.

- ``metrics``: ``increment``, ``observe``, ``set_gauge`` over the names of ``metric_catalogue``.
- ``contact`` and ``lag``: whether Kafka answers, and how far behind a process is, true whenever they are asked.
- ``logs``: ``configure_logs``, ``get_logger``; ``log_gates`` decides what may stand in a line.
- ``health``: ``Health``, and ``serve_ops`` for /metrics, /health/live and /health/ready.
"""
