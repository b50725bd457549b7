"""Beats in SQLite."""
