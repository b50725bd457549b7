"""Attacks on a running service, each of which succeeded once."""
