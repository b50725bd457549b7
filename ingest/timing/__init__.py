"""Beat times from arrival times and ticks, and duplicates among notifications."""
