"""What can go wrong in the domain, said in codes.

Codes are snake_case strings; the words a person reads are chosen on the web floor, in their language.
"""


class LabError(Exception):
    """Any refusal the domain can explain. Everything else that is raised is a fault of ours."""


class NotFound(LabError):
    """The thing does not exist, or this person may not know that it does."""

    def __init__(self, thing: str = "") -> None:
        super().__init__(thing)
        self.thing = thing


class Denied(LabError):
    """The person may see the thing but not do this to it; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Conflict(LabError):
    """The state of things does not admit the act (already full, already decided, changed by others)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Invalid(LabError):
    """A value cannot be accepted: which field, which rule (`code`), and the numbers the words need."""

    def __init__(self, field: str, code: str, **params: object) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
        self.params = params


class RateLimited(LabError):
    """Too many attempts; `retry_after` is whole seconds, at least one."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, int(retry_after))
        super().__init__(f"retry after {self.retry_after} s")


class Unavailable(LabError):
    """Something we depend on (database, disk, mail) does not answer now; trying again later makes sense."""
