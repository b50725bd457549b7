"""Binary blocks of beats and windows, and arithmetic of runs."""
