"""What is stored stays stored, and what is removed is gone."""
