"""The demonstration, with a simulated strap and patient."""
