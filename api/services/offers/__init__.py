"""Practice by lot: what a person agreed to, the draws, and what they showed."""
