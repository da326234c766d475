"""What this member is asked, and what it answers: transfers, assistance, corrections, what is taken back.

A delivery that asks for an answer leaves a row in ``asked``, in the transaction that writes it; the view ``awaiting``
shows those that are open, with whom to call and by when. The receiving system answers in one of three ways: a row that
it inserts into ``answer``, an HTTP call, a command. Each becomes durable as a row of ``answer``, and each ends as
exactly one receipt in the outbox, in one transaction with what it closes.

``asking`` (what a delivery asks), ``saying`` (whether an answer can be understood) and ``fitting`` (what it is an
answer to) are pure; ``taking`` stands at the database; ``calling`` at HTTP.
"""
