"""Pseudonymised tables and cohort statistics."""
