"""Straps over Bluetooth: Bumble simulates them, in this process or against BlueZ in QEMU."""
