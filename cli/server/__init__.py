"""Commands that run the servers."""
