"""What routing remembers: of each incident what was taken, told and held, and of each partition its streams.

The tour, in the order of a record's way: `memory` gives what is remembered of its incident (`incident`), read from a
store on disk (`store`) and from bytes (`encoding`). `sequence` tells repeats from news; once it is decided, `holding`
says what each recipient holds now, and `remembering` what is remembered next. That goes to the changelog within the
record's own transaction, and to disk once it is committed. `restoring` reads the changelog when partitions are given.

Invariants:

- What is on disk is committed, and so is the position of the changelog beside it: both stand in one write.
- What is not committed lives in memory alone, and is dropped with its transaction.
- A copy that is behind is brought up to date from its position before anything is routed; one that may lack deletions,
  or is of another topic, is thrown away, and the changelog read from its first record.
- Everything here is code, name, time or digest: no personal data.
"""
