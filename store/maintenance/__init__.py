"""Copy, backup and integrity check."""
