"""Keeping an installation: backups, putting one back, and bringing older records to agree with a newer ledger."""
