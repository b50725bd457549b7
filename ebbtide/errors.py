"""The error that people are meant to read."""


class EbbtideError(Exception):
    """Something a person can mend.

    ``what`` says what is wrong, ``remedy`` what to do about it. The command line prints both
    and no traceback.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy
