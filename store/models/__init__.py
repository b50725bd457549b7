"""Frozen dataclasses and enums of what is stored."""
