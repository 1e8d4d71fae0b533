"""What the public is told: the register, built from the ledger's entries alone, and reports for each agency."""

from recognizance.register.document import MEDIA_TYPE_CSV, MEDIA_TYPE_JSON, json_schema, to_csv, to_json
from recognizance.register.files import register_file, register_files
from recognizance.register.live import KeptReading, LiveRegister
from recognizance.register.reading import keys_stated_by, read_log
from recognizance.register.rows import SECTIONS, Register
from recognizance.register.saved import Reading, load_reading, save_reading
from recognizance.register.sections import build_register
from recognizance.register.state import State, fold

__all__ = [
    "MEDIA_TYPE_CSV",
    "MEDIA_TYPE_JSON",
    "SECTIONS",
    "KeptReading",
    "LiveRegister",
    "Reading",
    "Register",
    "State",
    "build_register",
    "fold",
    "json_schema",
    "keys_stated_by",
    "load_reading",
    "read_log",
    "register_file",
    "register_files",
    "save_reading",
    "to_csv",
    "to_json",
]
