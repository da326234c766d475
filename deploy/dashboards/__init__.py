"""Dashboards for Grafana, generated from the metric catalogue: one for a whole exchange, one for each of its members.

On the first screen, what an operator asks at three in the morning: is anything not flowing, for whom, since when, and
why. Every query is put together from names and labels of the catalogue (``schemas.ops.metric_catalogue``), so one that
names a metric or label which does not exist fails when the dashboards are made, not when they are needed.

- ``promql``: expressions over catalogued metrics.
- ``panels``: what a panel shows and says, as plain data.
- ``first_screen``, ``flow``, ``causes``, ``uncharted``: the rows; ``boards`` puts them together.
- ``drawing``: panels as Grafana wants them, with grafana-foundation-sdk (extra ``dashboards``); nothing else needs it.
- ``files``: writes them, and sees whether the committed ones are what their sources say.

A member's own dashboard never asks what others decided to keep from it: a partner must not learn that something was
held back (design.md, section 2).
"""
