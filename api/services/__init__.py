"""Use cases. No FastAPI: used by routes and by the command line."""
