"""What routes share: dependencies, problems, time ranges, routing."""
