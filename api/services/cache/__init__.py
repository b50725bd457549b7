"""Per-process caches. Entries are derived and expire within an hour."""
