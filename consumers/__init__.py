"""From Kafka to the world: what a member receives, written into its own systems, once, and receipted.

``subscriber`` reads what is committed and nothing else; ``delivery`` opens it; a sink of ``sinks`` makes a batch
durable; ``receipts`` tells the origin; ``runner`` is the loop over these, and does the ``chores`` between batches:
``answers`` takes what the receiving system answers, ``disposal`` deletes what may be kept no longer. ``streams``
notices what is missing, and ``replaying`` reads it again. ``ledger`` is the same loop over a force's own disclosures
and feedback, and ``ledger_queries`` how a person reads them; ``feedback`` brings it to a force's dispatchers.

What holds here, whatever is killed when:

- **Once.** The position in Kafka is stored in the sink's own database, in the transaction that writes the rows. The
  group's committed offsets are for operators' tools; where the two differ, the database is right.
- **Order.** The partner topic's order is the truth: it has one partition and one router wrote it in transactions. A
  delivery whose ``delivery_id`` is known is a repeat and changes nothing; one with a ``number`` not above the latest of
  its incident takes its own place, and goes over nothing newer (`fold`, `fold_late`).
- **Receipts.** A receipt is written to an outbox in that same transaction and sent from there: none is lost, one may be
  sent twice with the same content. So is an answer, with what it closes.
- **Gone.** What was taken back, withdrawn or disposed of leaves a tombstone: no replay brings it back.
- **Nothing blocks.** What cannot be decoded or can never be taken is set aside with its bytes and its reason. A sink
  that is away makes the subscriber wait, and nobody else.
"""
