"""``ebbtide cohort``: what ``analytics`` says of a lake of Parquet, on many cores or machines.

``lake_tables`` reads the lake; ``hrv``, ``link`` and ``practice`` compute people and, of the last
two, all people together; ``tasks`` is what a worker runs; ``results`` writes; ``run`` puts them
together.
"""
