"""Who takes part and on what terms: the services that change it, each change one transaction with its ledger entry.

`installation` holds profile and policy of an installation, `registration` agencies, people, programs and trainings,
`access` their keys, `sessions` on whose behalf a key is used, and `uses` a use's life from proposal to end. The rules
themselves are in `recognizance.governance`, which does no I/O.
"""
