"""Whether the API lives, and whether it can work."""

from __future__ import annotations

import logging

from fastapi import APIRouter
from pydantic import BaseModel

from api.http.deps import StoresDep
from api.http.problems import ProblemError, describe_problems
from ebbtide import __version__

router = APIRouter(tags=["operation"])
log = logging.getLogger("ebbtide.api")


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"
    version: str


# In the event loop: busy threads do not delay it.
@router.get("/health")
async def health() -> Health:
    """The process is alive. Says nothing of the stores."""
    return Health(version=__version__)


@router.get("/ready", responses=describe_problems(503))
def ready(stores: StoresDep) -> Health:
    """Both stores answer."""
    for name, store in (("beats", stores.beats), ("records", stores.records)):
        try:
            store.check()
        except Exception as error:  # whatever a store's driver may raise
            log.warning("the store of %s does not answer: %s", name, type(error).__name__)
            raise ProblemError(503, f"The store of {name} does not answer.") from error
    return Health(version=__version__)
