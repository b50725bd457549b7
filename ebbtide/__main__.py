"""Run the command line: ``python -m ebbtide``."""

from cli.main import main

try:
    main()
finally:
    # CPython notes an interrupt that reaches it inside exec() of a text, as dataclasses and
    # SQLAlchemy call it while they load, and `python -m` then ends by SIGINT although the
    # interrupt was handled: the exit status is lost. The next exec() takes the note away.
    exec("")  # nosec B102: no text of anybody
