"""Arrays in, results out. No I/O, no clock, nothing kept."""
