"""Bluetooth Low Energy through Bleak."""
