"""Five changes by a newcomer, each a patch, with the check that sees it.

``../test_newcomer.py`` applies each patch to a copy of the project and runs its check there; the
name of a check begins with ``check_``, so that pytest does not run it in the project itself.
"""
