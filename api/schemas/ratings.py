"""The numerical rating scale, as ratings and practices take it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Nrs = Annotated[int, Field(ge=0, le=10, strict=True)]
