"""People, ratings, access and programme in SQLite or PostgreSQL."""
