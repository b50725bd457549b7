"""``python -m ebbtide``."""

from ebbtide.cli import main

main()
