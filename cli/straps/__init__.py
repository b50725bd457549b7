"""Commands for straps and recordings."""
