"""The durable queue of notifications, and their upload."""
