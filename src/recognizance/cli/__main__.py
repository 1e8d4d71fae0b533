"""Lets `python -m recognizance.cli` stand for `recognizance`, where scripts are not on the path."""

from recognizance.cli import main

main()
