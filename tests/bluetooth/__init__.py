"""Straps on a radio: Bumble plays them, in this process or against real BlueZ under QEMU."""
