"""A case's whole record as one file that proves itself.

`disclosure` gathers it, `bundle` packs and checks it, `summary` tells it in plain words.
"""
