"""What routes share: dependencies, problems, metrics, cursors, time ranges, routing."""
