"""``python -m ebbtide``."""

from cli.main import main

main()
