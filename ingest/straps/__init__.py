"""Heart-rate straps: protocol decoding and connections."""
