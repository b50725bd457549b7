"""Export formats. No routes."""
