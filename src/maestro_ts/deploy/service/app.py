"""The FastAPI application: routes, their schemas, and every error as one shape."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from maestro_ts._version import __version__
from maestro_ts.deploy.service import messages
from maestro_ts.deploy.service.answers import Show
from maestro_ts.deploy.service.bodies import JSON, MEDIA_TYPES
from maestro_ts.deploy.service.example import Example
from maestro_ts.deploy.service.limits import check_token
from maestro_ts.deploy.service.metrics import Measured
from maestro_ts.deploy.service.page import POLICY, page
from maestro_ts.deploy.service.predicting import Predicting
from maestro_ts.deploy.service.problem import Problem
from maestro_ts.deploy.service.served import MAX_WINDOWS
from maestro_ts.errors import MaestroError
from maestro_ts.model.front_end import SymbolFrontEnd

__all__ = ["create_app"]

RETRY_S = "1"
SAID = {
    400: "The body cannot be read as its media type.",
    401: "No bearer token, or a wrong one.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "Another media type.",
    422: "The body or the query says something impossible.",
    503: "Too many predictions at once, or the service is about to end.",
    504: "No answer in time.",
}


def create_app(
    predicting: Predicting, *, token: str | None = None, example: Example | None = None
) -> FastAPI:
    """The service as an ASGI application.

    Parameters
    ----------
    predicting : Predicting
        Is closed when the application ends.
    token : str, optional
        Needed for everything but the page, its schema and `/healthz`.
    example : Example, optional
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        predicting.close()

    # The pages that FastAPI offers of itself load scripts from elsewhere.
    app = FastAPI(
        title="maestro-ts",
        version=__version__,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _add_errors(app)
    _add_open(app, predicting)
    _add_guarded(app, predicting, token, example)
    paths = [str(p) for p in (getattr(r, "path", "") for r in app.routes) if p]
    app.add_middleware(Measured, metrics=predicting.metrics, paths=paths)
    return app


def _add_open(app: FastAPI, predicting: Predicting) -> None:
    shown = page()

    @app.get("/", response_class=HTMLResponse, summary="The page")
    async def root() -> HTMLResponse:
        return HTMLResponse(shown, headers=POLICY)

    @app.get(
        "/healthz",
        response_model=messages.Health,
        responses={503: {"model": messages.Health, "description": "About to end."}},
        summary="Whether new predictions are taken",
    )
    async def healthz() -> JSONResponse:
        draining = predicting.gate.draining
        return JSONResponse(
            {"status": "draining" if draining else "ok"}, status_code=503 if draining else 200
        )


def _add_guarded(
    app: FastAPI, predicting: Predicting, token: str | None, example: Example | None
) -> None:
    async def guard(request: Request) -> None:
        check_token(token, request.headers.get("authorization"))

    guarded = [Depends(guard)]
    card = _card(predicting, example)

    @app.get(
        "/metrics",
        dependencies=guarded,
        response_class=PlainTextResponse,
        responses=_said(401),
        summary="Counters for Prometheus",
    )
    async def metrics() -> Response:
        return Response(predicting.metrics.text(), media_type="text/plain; version=0.0.4")

    @app.get(
        "/v1/model",
        dependencies=guarded,
        response_model=messages.ModelCard,
        responses=_said(401),
        summary="What is served, and what it takes",
    )
    async def model() -> JSONResponse:
        return JSONResponse(card)

    @app.get(
        "/v1/example",
        dependencies=guarded,
        response_model=messages.Example,
        responses=_said(401) | {404: {"model": messages.ProblemBody, "description": "None."}},
        summary="A recording that the model was not trained on",
    )
    async def try_it() -> JSONResponse:
        if example is None:
            raise Problem(404, "this run has no example.", fix="Send a recording of your own.")
        return JSONResponse(
            {
                "title": example.title,
                "body": example.body,
                "labels": [asdict(label) for label in example.labels],
            }
        )

    @app.post(
        "/v1/predict",
        dependencies=guarded,
        response_model=messages.Answer,
        responses=_said(*SAID),
        openapi_extra={"requestBody": _bodies()},
        summary="Predict the windows of recordings",
    )
    async def predict(
        request: Request,
        off: Annotated[
            list[str], Query(description="Modalities to take as missing; repeatable.")
        ] = [],  # noqa: B006
        show: Annotated[list[Show], Query(description="What else to answer; repeatable.")] = [],  # noqa: B006
    ) -> Response:
        head = request.headers
        said = await predicting.predict(
            request.stream(), head.get("content-length"), head.get("content-type", ""), off, show
        )
        return Response(said, media_type=JSON)


def _card(predicting: Predicting, example: Example | None) -> dict[str, Any]:
    run, limits = predicting.run, predicting.limits
    front_end = run.model.front_end_
    symbols = front_end.symbolizer if isinstance(front_end, SymbolFrontEnd) else None
    return {
        "run": run.name,
        "title": run.title,
        "version": __version__,
        "classes": run.classes,
        "modalities": run.inputs.to_list(),
        "windows": run.spec.values(),
        "alphabet": None if symbols is None else symbols.settings.alphabet,
        "budget_max": None if symbols is None else run.model.recipe_.budget.beta,
        "example": example is not None,
        "limits": asdict(limits) | {"max_windows": MAX_WINDOWS},
    }


def _said(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {s: {"model": messages.ProblemBody, "description": SAID[s]} for s in statuses}


def _bodies() -> dict[str, Any]:
    tables = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES}
    own = messages.PredictBody.model_json_schema()
    defs = own.pop("$defs", {})
    whole = _inlined(own, defs)
    return {"required": True, "content": tables | {JSON: {"schema": whole}}}


def _inlined(tree: Any, defs: dict[str, Any]) -> Any:
    """The schema in one piece: a body that is read by hand puts nothing among the components."""
    if isinstance(tree, dict):
        if "$ref" in tree:
            return _inlined(defs[tree["$ref"].rsplit("/", 1)[1]], defs)
        return {key: _inlined(value, defs) for key, value in tree.items()}
    return [_inlined(item, defs) for item in tree] if isinstance(tree, list) else tree


def _add_errors(app: FastAPI) -> None:
    def said(problem: Problem) -> JSONResponse:
        headers = {"X-Content-Type-Options": "nosniff"}
        if problem.status == 503:
            headers |= {"Retry-After": RETRY_S, "Connection": "close"}
        if problem.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(problem.content(), status_code=problem.status, headers=headers)

    @app.exception_handler(Problem)
    async def refused(_: Request, problem: Problem) -> JSONResponse:
        return said(problem)

    @app.exception_handler(MaestroError)
    async def wrong(_: Request, error: MaestroError) -> JSONResponse:
        return said(Problem.of(error))

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, error: ClientDisconnect) -> JSONResponse:
        return said(Problem(400, "the client went away before the body was there.", "body"))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return said(Problem(422, f"{first['msg']}.", where))

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> JSONResponse:
        found = said(Problem(error.status_code, f"{error.detail}.", fix="See /openapi.json."))
        found.headers.update(error.headers or {})
        return found

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> JSONResponse:
        return said(Problem(500, f"an error of the service: {type(error).__name__}."))
