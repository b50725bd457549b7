"""Commands for accounts, stores and the nightly analysis."""
