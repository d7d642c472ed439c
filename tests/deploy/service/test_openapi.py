"""The service keeps to what its own OpenAPI description says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_ts.deploy.service.predicting import Predicting

schemathesis = pytest.importorskip("schemathesis", reason="not run: schemathesis is not installed")
OPERATIONS = [
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/v1/model"),
    ("GET", "/v1/example"),
    ("POST", "/v1/predict"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_answers_are_as_described(
    serving: Callable[..., tuple[FastAPI, Predicting]], method: str, path: str
) -> None:
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    schema = schemathesis.openapi.from_asgi("/openapi.json", serving()[0])
    operation = schema[path][method]
    wanted = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.negative_data_rejection,
    ]
    modes = (
        [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
        if method == "POST"
        else [GenerationMode.POSITIVE]
    )
    for mode in modes:

        @settings(
            max_examples=12 if method == "POST" else 2, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode), _=st.just(0))
        def ask(case, _):
            case.call_and_validate(checks=wanted)

        ask()
