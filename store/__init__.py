"""Where beats and records are kept. Two protocols, and the embedded store behind both."""
