"""A web service that samples: POST data, watch the posterior live, get the summary, DELETE to cancel.

    pip install starlette uvicorn
    python examples/06_service.py --port 8000
    curl -d '{"y": [4.1, 3.7, 4.4]}' localhost:8000/runs
    curl localhost:8000/runs/1/events

A run belongs to the service and not to a request: it goes on when whoever watched it is gone.
"""

import argparse
import asyncio
import contextlib
import json
from itertools import count

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import exmc_actors as ex
import exmc_actors.asyncio

DRAWS = 2000


def model(y):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 10.0))
    b.obs("y", ex.Normal(mu, 1.0), y)
    return b.model()


class Job:
    """One run, and the task that holds it open until it is deleted."""

    def __init__(self, y, draws):
        self.run, self.failure = None, None
        self.is_open = asyncio.Event()
        self.task = asyncio.create_task(self._hold(model(y), draws))

    async def _hold(self, model, draws):
        try:
            async with ex.asyncio.open_run(model, draws=draws, random_seed=1) as run:
                self.run = run
                self.is_open.set()
                await run.result()
                await asyncio.Event().wait()
        except ex.ExmcError as error:
            self.failure = str(error)
        except asyncio.CancelledError:
            self.failure = "it was deleted."
            raise
        finally:
            self.is_open.set()

    async def close(self):
        self.task.cancel()
        await asyncio.wait([self.task])


jobs: dict[int, Job] = {}
numbers = count(1)


def job_of(request):
    job = jobs.get(request.path_params["id"])
    if job is None:
        raise HTTPException(404, "there is no such run: POST to /runs begins one.")
    return job


async def begin(request):
    """Begin a run with the data in the body, and say where to find it."""
    try:
        body = json.loads(await request.body())
        job = Job(body["y"], int(body.get("draws", DRAWS)))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise HTTPException(422, f'send JSON such as {{"y": [4.1, 3.7]}}: {error}') from error
    number = next(numbers)
    jobs[number] = job
    return JSONResponse({"id": number}, 202, {"Location": f"/runs/{number}"})


async def look(request):
    """Say how far a run is, or what came of it."""
    job = job_of(request)
    await job.is_open.wait()
    if job.failure is not None:
        return JSONResponse({"status": "failed", "reason": job.failure})
    try:
        chains = (await job.run.statistics()).chains
        if any(chain.status == "running" for chain in chains):
            return JSONResponse({"status": "running", "draws": [chain.index for chain in chains]})
        mu = (await job.run.result()).posterior["mu"]
    except ex.ExmcError as error:  # it has just failed, or is being deleted
        return JSONResponse({"status": "failed", "reason": str(error)})
    return JSONResponse({"status": "finished", "mean": float(mu.mean()), "sd": float(mu.std())})


async def watch(request):
    """Stream the mean of the draws so far, a server-sent event a block, until the run has ended."""
    job = job_of(request)
    await job.is_open.wait()
    if job.failure is not None:
        raise HTTPException(409, job.failure)

    async def events():
        total, number = 0.0, 0
        async with job.run.subscribe(from_start=True, var_names="mu") as feed:
            async for message in feed:
                if isinstance(message, ex.DrawBlock) and message.phase == "sample":
                    total, number = total + message.draws["mu"].sum(), number + len(message)
                    yield f"data: {json.dumps({'draws': number, 'mean': total / number})}\n\n"
        yield "event: end\ndata: {}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def cancel(request):
    """Stop a run and forget it."""
    job = job_of(request)
    del jobs[request.path_params["id"]]  # first, so that nobody finds it while it is closed
    await job.close()
    return Response(status_code=204)


@contextlib.asynccontextmanager
async def lifespan(app):
    yield
    for job in jobs.values():
        await job.close()


app = Starlette(
    routes=[
        Route("/runs", begin, methods=["POST"]),
        Route("/runs/{id:int}", look),
        Route("/runs/{id:int}", cancel, methods=["DELETE"]),
        Route("/runs/{id:int}/events", watch),
    ],
    lifespan=lifespan,
)


if __name__ == "__main__":
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    uvicorn.run(app, port=parser.parse_args().port)
