"""Recordings that other devices and apps left in files."""
