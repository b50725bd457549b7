"""The ground floor of Ebbtide: the shared vocabulary, the settings and the command line.

Modules here import nothing of the other rooms, except the command line
(``cli.main``, ``ebbtide.commands``) and the sample patient (``ebbtide.sample``), which may
import every room and do so lazily.
"""

__version__ = "0.1.0"
