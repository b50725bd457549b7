"""Accounts, caseload, consents, access log and erasure."""
