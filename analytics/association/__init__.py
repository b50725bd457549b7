"""How two series of ratings moved together within people, net of their common trend."""
