"""Prompts: planned, sent by several ways, answered."""
