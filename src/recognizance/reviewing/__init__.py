"""Candidates that wait for two people, and what becomes of them.

`openings` opens reviews, `reviews` decides them, `leads` is what two people who agree make of a candidate, `probes` and
`probe_edits` are the pictures that are searched for and what was done to them, and `upkeep` and `erasure` end what may
no longer be held. The rules themselves are in `recognizance.governance`, which does no I/O.
"""
