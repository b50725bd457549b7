"""From the strap to the API: decode, place in time, keep on disk, upload."""
