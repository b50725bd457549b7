"""Commands that analyse files and tables."""
