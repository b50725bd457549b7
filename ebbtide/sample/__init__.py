"""The sample patient of ``ebbtide demo``: generated, and marked so everywhere."""
