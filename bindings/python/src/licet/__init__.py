"""May this be done, on whose word, and why? The binding of liblicet.

    import licet

    with licet.open(operator="assistant") as authority:
        request = authority.request({"request.recipients": 3})
        if request.check("tool.email.send"):
            send_it()

Only `Effect.ALLOW` is true; where nothing could be decided, a `LicetError` is raised. An `Authority` is for any number of
threads at once, and so is a `Session`, which says for a whole conversation who is served and how far the agent may go; a
`Request` for one at a time. README.md says more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import _licet
from ._guard import Denied, Guard, Question, guard
from ._licet import Attribute, Authority, Behavior, Request, Session
from ._types import (
    AmbiguousOperatorError,
    BadCostError,
    BadDialError,
    BadNameError,
    BadRequestError,
    Change,
    ChangeKind,
    DecidedBy,
    Decision,
    Dial,
    Effect,
    Explanation,
    ForeignSessionError,
    Form,
    Hold,
    HoldKind,
    ImageError,
    InvalidError,
    LicetError,
    LimitsExceededError,
    Mode,
    Period,
    NoAuthorityError,
    NoBehaviorError,
    NoMemoryError,
    NotBoundError,
    NotRecordedError,
    Oversight,
    ProtocolError,
    Source,
    Statement,
    Step,
    StepKind,
    SystemCallError,
    Tier,
    TooManyError,
    Truth,
    UnknownAttributeError,
    UnknownError,
    UnknownOperatorError,
    UnknownSessionError,
    Value,
    VerifiedAttributeError,
    Way,
    WrongTypeError,
)

if TYPE_CHECKING:
    from os import PathLike

DENY, ASK, ALLOW = Effect.DENY, Effect.ASK, Effect.ALLOW

__all__ = [
    "ALLOW", "ASK", "DENY", "AmbiguousOperatorError", "Attribute", "Authority", "BadCostError", "BadDialError",
    "BadNameError", "BadRequestError", "Behavior", "Change", "ChangeKind", "DecidedBy", "Decision", "Denied", "Dial",
    "Effect", "Explanation", "ForeignSessionError", "Form", "Guard", "Hold", "HoldKind", "ImageError", "InvalidError",
    "LicetError", "LimitsExceededError", "Mode", "NoAuthorityError", "NoBehaviorError", "NoMemoryError",
    "NotBoundError", "NotRecordedError", "Oversight", "Period", "ProtocolError", "Question", "Request", "Session",
    "Source", "Statement", "Step", "StepKind", "SystemCallError", "Tier", "TooManyError", "Truth",
    "UnknownAttributeError", "UnknownError", "UnknownOperatorError", "UnknownSessionError", "Value",
    "VerifiedAttributeError", "Way", "WrongTypeError", "guard", "open", "version",
]  # fmt: skip


def _milliseconds(name: str, seconds: float | None) -> int:
    if seconds is None:
        return 0
    # What is shorter than a millisecond must not become 0, which stands for the default.
    if not 0 < seconds <= 4_294_967:
        raise ValueError(f"{name}: seconds, more than 0 and at most 4294967, not {seconds}")
    return max(1, round(seconds * 1000))


def open(
    path: str | PathLike[str] | None = None,
    *,
    mode: Mode = Mode.SNAPSHOT,
    operator: str | None = None,
    timeout: float | None = None,
    stale_after: float | None = None,
    on_authority_loss: Effect = Effect.DENY,
) -> Authority:
    """Opens an authority.

    `path` is licetd's attach socket, by default $LICET_SOCKET or /run/licetd/attach; for `Mode.EMBEDDED` the image file.
    `operator` may be left out where there is only one. `timeout` is for an answer of licetd (1 second); without a sign of
    life from licetd for `stale_after` (30 seconds) a snapshot counts as lost, and `on_authority_loss` is answered.
    """
    return _licet.open(
        mode, b"" if path is None else os.fsencode(path), operator or "", _milliseconds("timeout", timeout),
        _milliseconds("stale_after", stale_after), on_authority_loss,
    )  # fmt: skip


def version() -> str:
    """Of liblicet: "1.2.3"."""
    return _licet.library_version
