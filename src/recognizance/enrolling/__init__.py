"""Photographs to enrolled faces: one at a time (`enrolment`), and whole folders and lists of them (`bulk`)."""
