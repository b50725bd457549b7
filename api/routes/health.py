"""Whether the API lives, and whether it can work."""

from __future__ import annotations

import logging

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.deps import StoresDep
from api.http.problems import ProblemError, describe_problems
from ebbtide import __version__

router = APIRouter(tags=["operation"])
log = logging.getLogger("ebbtide.api")


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"
    version: str


class Readiness(Health):
    """The stores answer."""

    status: str = Field(
        default="ok", description="degraded: a server of beats does not answer; see beat_servers"
    )
    beat_servers: dict[str, bool] = Field(
        default={},
        description="Of several servers of beats, by name: whether it answers. The people of one "
        "that does not wait, and all others go on. Empty where there is one store of beats",
    )


# In the event loop: busy threads do not delay it.
@router.get("/health")
async def health() -> Health:
    """The process is alive. Says nothing of the stores."""
    return Health(version=__version__)


@router.get("/ready", responses=describe_problems(503))
def ready(stores: StoresDep) -> Readiness:
    """Both stores answer; of several servers of beats, at least one."""
    servers = {name: why is None for name, why in stores.beats.server_states().items()}
    for name, store in (("beats", stores.beats), ("records", stores.records)):
        if store is stores.beats and servers:
            if any(servers.values()):
                continue  # asked already
            raise ProblemError(503, f"The store of {name} does not answer.")
        try:
            store.check()
        except Exception as error:  # whatever a store's driver may raise
            log.warning("the store of %s does not answer: %s", name, type(error).__name__)
            raise ProblemError(503, f"The store of {name} does not answer.") from error
    status = "ok" if all(servers.values()) else "degraded"
    return Readiness(status=status, version=__version__, beat_servers=servers)
