"""From arrival times and ticks to beat times."""
