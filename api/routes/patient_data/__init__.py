"""What a patient enters and records."""
