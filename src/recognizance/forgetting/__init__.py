"""Forgetting everywhere, with a proof (`erasure`), and what has to outlive it: "not this person" (`marks`)."""
