"""`Problem`: why a request is refused, as a status and what every error says."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from maestro_ts.errors import FormatError, MaestroError

__all__ = ["Problem"]

MOST = 1000  # errors of one body that are looked at


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
        """What does not fit the schema of a JSON body: the thing that lies deepest.

        Where two forms are allowed, that is of the one that was meant.
        """
        fix = "The schema of the body is in /openapi.json."
        count = error.error_count()
        if count > MOST:
            return cls(422, f"{count} things do not fit.", "body", fix)
        found = error.errors(include_url=False, include_input=False)
        first = max(reversed(found), key=lambda e: len(e["loc"]))
        if first["type"] == "json_invalid":
            return cls(400, f"no JSON: {first['msg']}.", "body")
        # A part with a bracket is pydantic's name of a form.
        parts = [str(part) for part in first["loc"] if "[" not in str(part)]
        where = ".".join(("body", *parts))
        more = f" (and {count - 1} more)" if count > 1 else ""
        return cls(422, f"{first['msg']}{more}.", where, fix)

    def content(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"what": self.what, "where": self.where, "fix": self.fix}
