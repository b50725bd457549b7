"""Change over a therapy programme: before and after, outcomes of groups, practices, patterns."""
