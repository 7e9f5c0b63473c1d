"""Attacks: one a file, named as the file, a frozen dataclass whose fields are its settings."""
