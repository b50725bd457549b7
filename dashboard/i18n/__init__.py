"""Texts, languages, numbers and dates."""
