"""Heart-rate variability: artefact labels, correction, metrics of windows, and the stress index."""
