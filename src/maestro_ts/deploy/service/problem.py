"""`Problem`: why a request is refused, as a status and what every error says."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from maestro_ts.errors import FormatError, MaestroError

__all__ = ["Problem"]


class Problem(Exception):
    """A request that gets no answer.

    Parameters
    ----------
    status : int
        Of HTTP.
    what, where, fix : str
        As of a `MaestroError`.
    """

    def __init__(self, status: int, what: str, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.status, self.what, self.where, self.fix = status, what, where, fix

    @classmethod
    def of(cls, error: MaestroError) -> Problem:
        """400 for what cannot be read as its format, 422 for what says something impossible."""
        status = 400 if isinstance(error, FormatError) else 422
        return cls(status, error.what, error.where, error.fix)

    @classmethod
    def invalid(cls, error: ValidationError) -> Problem:
        """The first thing that does not fit the schema of a JSON body."""
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "json_invalid":
            return cls(400, f"no JSON: {first['msg']}.", "body")
        others = error.error_count() - 1
        more = f" (and {others} more)" if others else ""
        fix = "The schema of the body is in /openapi.json."
        return cls(422, f"{first['msg']}{more}.", f"body.{where}".rstrip("."), fix)

    def content(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"what": self.what, "where": self.where, "fix": self.fix}
