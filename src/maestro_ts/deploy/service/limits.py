"""What one client may ask of the service: size, time, how many at once, and by which token."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from maestro_ts.deploy.service.problem import Problem

__all__ = ["Gate", "Limits", "check_token", "limited_body"]


@dataclass(frozen=True)
class Limits:
    """Bounds of a request.

    Attributes
    ----------
    max_body_mb : float
        Of 10⁶ bytes.
    timeout_s : float
        From the request's head to its answer.
    max_concurrent : int
        Predictions that are read, waiting or computed at the same time.
    """

    max_body_mb: float = 16.0
    timeout_s: float = 30.0
    max_concurrent: int = 32


class Gate:
    """Lets so many predictions in, and none any more once the service is to end."""

    def __init__(self, max_concurrent: int) -> None:
        self.max_concurrent = max_concurrent
        self.inside = 0
        self.draining = False

    def drain(self) -> None:
        """Let nobody in any more."""
        self.draining = True

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be counted within the block.

        Raises
        ------
        Problem
            503: the service is full or about to end; both pass.
        """
        if self.draining:
            raise Problem(503, "the service is about to end.", fix="Ask again in a moment.")
        if self.inside >= self.max_concurrent:
            raise Problem(
                503,
                f"{self.max_concurrent} predictions are being made.",
                fix="Ask again in a moment.",
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


def check_token(token: str | None, authorization: str | None) -> None:
    """Refuse a request without the bearer token, if there is one.

    Raises
    ------
    Problem
        401
    """
    if token is None:
        return
    scheme, _, given = (authorization or "").partition(" ")
    # Bytes: a text outside of ASCII cannot be compared in constant time.
    right = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not right:
        raise Problem(
            401,
            "the bearer token is wrong." if given else "a bearer token is needed.",
            "header Authorization",
            "Send Authorization: Bearer TOKEN.",
        )


async def limited_body(
    chunks: AsyncIterator[bytes], declared: str | None, max_body_mb: float
) -> bytes:
    """The whole body, refused as soon as it is known to be too large.

    Raises
    ------
    Problem
        413
    """
    most = int(max_body_mb * 1e6)
    problem = Problem(
        413,
        f"the body is larger than {max_body_mb:g} MB.",
        "body",
        "Send shorter recordings, or Parquet, which is smaller.",
    )
    if declared is not None and declared.isdigit() and int(declared) > most:
        raise problem
    found = bytearray()
    async for chunk in chunks:
        found += chunk
        if len(found) > most:
            raise problem
    return bytes(found)
