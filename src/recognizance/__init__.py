"""Face recognition that answers for itself. `ARCHITECTURE.md` has the map."""
