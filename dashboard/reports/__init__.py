"""The summary before a session, on screen and as PDF."""
