"""Revisions of the tables of the records store. A new one is made by hand: see CONTRIBUTING.md."""
