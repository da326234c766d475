"""Answers that members owe: to a transfer, a request, a correction, and to whatever is taken back from them.

A value, as `routing.casework` has its lines. What asks for one is in `routing.asked` and `routing.recalled`, what an
answer changes in `routing.receipts`, what a limit that has passed does in `routing.elapsed`.
"""
