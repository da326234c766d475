"""Kafka → Kafka: decide every event for every partner, cut it, record it, and commit all of that as one.

The tour, in the order of one record's way: `fetching` brings it, `session` puts it into the `intake`, which takes from
topics in turn;
`loop` hands it to `route`, which is pure: it opens and checks the event (`considering`, where
`routing.geography` measures its places), decides for each recipient
(`deciding` remembers, `routing.agreements` decides), and gives back `effects`: deliveries and a disclosure record
(`disclose`, in bytes that `wording` shares out), feedback (`receipts`), or a refusal (`quarantine`). The loop produces
them and commits them with the input's offset (`transactions`); while the broker commits, the next records are routed
`ahead`. What recurs is worked out once: the `course` of an event, its `circulation`, their `wording`. `worker` is one
such process, `supervisor` keeps several running, and `reach` knows which members' topics exist.

Invariants:

- Everything that follows from a record, its offset included, is one Kafka transaction.
- At most one transaction is open. What was routed ahead is produced only once the one before is known to be committed.
- `route` never raises for what came in; what it cannot take is quarantined for its owner, payload on no other topic.
- No section is delivered that is not granted and whose bytes have not been checked; `control` never.
- Where a transaction's outcome is in doubt, the producer is made afresh and the committed offsets are asked for.
"""
