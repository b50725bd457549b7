"""Signing in, tokens and invitations."""
