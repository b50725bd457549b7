"""Commands that use a strap or a recording."""
