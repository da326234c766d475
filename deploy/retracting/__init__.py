"""Taking back: retractions, withdrawals, bars, and who has confirmed what.

- ``known`` finds the incident that a person means, and what the ledger has of it.
- ``held`` says what each member was sent and was not asked to give back.
- ``permitted`` decides again what is held under the policy in force: who would lose what.
- ``retractions`` puts together what was asked of whom and what came of it, ``retraction_words`` tells it.

All of it is read from the force's ledger. What is taken back is a ruling like any other (`deploy.desk`).
"""
