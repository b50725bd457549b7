"""Several tasks at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def run_until_one_fails(*work: Coroutine[Any, Any, object]) -> None:
    """Run all until they end. The first error cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for item in work:
                tasks.create_task(item)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
