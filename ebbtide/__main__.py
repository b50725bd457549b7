"""Run the command line: ``python -m ebbtide``."""

from cli.main import main

main()
