"""The protocols that storage engines implement."""
