"""Beats in InfluxDB, with a catalogue in PostgreSQL."""
