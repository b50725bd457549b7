"""Polar Measurement Data (PMD)."""
