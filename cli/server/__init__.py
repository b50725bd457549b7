"""Commands that serve the API and the dashboard."""
