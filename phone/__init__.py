"""The app for a phone, at ``/app``: static files, and what the API needs to serve them."""

from phone.files import AppFile, AppFiles, load_files

__all__ = ["AppFile", "AppFiles", "load_files"]
