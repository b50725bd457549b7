"""Commands for files and tables."""
