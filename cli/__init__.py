"""The command line, the highest layer: imports every package, inside functions."""
