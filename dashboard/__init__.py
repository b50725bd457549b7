"""The pages. A client of the API and nothing else."""
