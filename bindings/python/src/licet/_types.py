"""What liblicet's numbers and structs are in Python. The extension fills these classes; it imports this module, which
therefore imports nothing of the package."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Union

Value = Union[
    None, bool, int, float, str, bytes, datetime, timedelta,
    Sequence["Value"], Mapping[str, "Value"], Mapping[int, "Value"], Mapping[bool, "Value"],
]
"""What an attribute can be. Sequences are lists and tuples, mappings are dicts, datetimes are aware."""


class Effect(enum.IntEnum):
    """An effect, ordered. Only ALLOW is true: `if request.check(...)` never lets an ASK pass."""

    DENY = 0
    ASK = 1
    ALLOW = 2

    def __bool__(self) -> bool:
        return self is Effect.ALLOW


class Source(enum.IntEnum):
    """On whose instruction."""

    PLATFORM = 0
    OPERATOR = 1
    USER = 2
    AGENT = 3
    UNTRUSTED = 4


class Mode(enum.IntEnum):
    """How decisions are made."""

    SNAPSHOT = 0
    REMOTE = 1
    EMBEDDED = 2


class DecidedBy(enum.IntEnum):
    """What decided, lowest authority first."""

    DEFAULT = 0
    SETTING = 1
    CEILING = 2
    PREFERENCE = 3
    OPERATOR_TIER = 4
    GUIDELINE = 5
    ETHICS = 6
    SAFETY = 7
    OVERSIGHT = 8
    ABSOLUTE = 9


class Oversight(enum.IntEnum):
    """What of oversight decided, in the order in which it has its word."""

    SESSION = 1
    """A session's cap, scope or constraint."""
    SUSPICION = 2
    DIAL = 3
    HALT = 4
    """A stop, a session's end, no policy in force, the authority is lost."""


class Form(enum.IntEnum):
    """What a statement of the policy is."""

    RULE = 0
    DECLARATION = 1
    UNKNOWN = 2
    BUILT_IN = 3
    CHOSEN = 4
    AUDIENCE = 5
    DIAL = 6
    PERIOD = 7
    COUNTER = 8
    SUSPICION = 9


class StepKind(enum.IntEnum):
    """What a step of a decision is."""

    DEFAULT = 0
    SETTING = 1
    OPERATOR = 2
    GRANT = 3
    PREFERENCE = 4
    DUTY = 5
    LIMIT = 6
    OVERSIGHT = 7
    ABSOLUTE = 8
    DIAL = 9
    SESSION = 11
    SUSPICION = 12


class Truth(enum.IntEnum):
    """What a condition came to. FAILED: it can't be evaluated, which never loosens; therefore only TRUE is true."""

    FALSE = 0
    TRUE = 1
    FAILED = 2

    def __bool__(self) -> bool:
        return self is Truth.TRUE


class Tier(enum.IntEnum):
    """With whose authority a duty or limit speaks."""

    OPERATOR = 0
    GUIDELINE = 1
    ETHICS = 2
    SAFETY = 3


class Way(enum.IntEnum):
    """Whose best choices would give ALLOW."""

    NOT_NEEDED = 0
    USER = 1
    OPERATOR = 2
    PLATFORM = 3
    NOBODY = 4
    AUTHORITIES = 5
    """Nobody yet: periods have to end first, which their authorities determine."""
    WAIT = 6
    """Nobody, or not they alone: counters have to fall, or suspicion decays."""


class HoldKind(enum.IntEnum):
    """What of a session holds a name back."""

    CAP = 1
    SCOPE = 2
    RESOURCES = 3
    """The resource is none of the session's."""
    PREFERENCE = 4
    """A delegate's request has a preference, which only caps."""


class ChangeKind(enum.IntEnum):
    """What a way out needs."""

    PREFERENCE = 0
    SETTING = 1
    OPERATOR_LIMIT = 2
    CHOICE = 3
    PLATFORM_LIMIT = 4
    HALT = 5
    SESSION_DIAL = 6
    OPERATOR_DIAL = 7
    STAKES = 8
    PERIOD = 9
    COUNTER = 10
    SESSION = 11
    SUSPICION = 12


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the policy."""

    file: str
    """As the authority reads it: "operators.d/nightowl.yaml"."""
    line: int
    """From 1; 0: none."""
    column: int
    form: Form
    behavior: str
    clause: str
    """What it cites; empty: nothing."""
    condition: str
    """Its `when`; empty: none."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file or self.form.name.lower()
        return f"{place} [{self.clause}]" if self.clause else place


@dataclass(frozen=True, slots=True)
class Decision:
    """An effect and what it came from. True only if the effect is ALLOW."""

    effect: Effect
    behavior: str
    """The name that decided: one that was asked about, or a known one below it."""
    generation: int
    decided_by: DecidedBy
    oversight: Oversight | None
    """What of oversight, where that decided."""
    lost: bool
    """The authority is lost, and this is what `on_authority_loss` says."""
    obligations: tuple[str, ...]
    """What the program must honour if it goes ahead, sorted."""
    statement: Statement | None
    """What decided; None where no statement did: a preference, a halt."""

    def __bool__(self) -> bool:
        return self.effect is Effect.ALLOW


@dataclass(frozen=True, slots=True)
class Dial:
    """What a step of StepKind.DIAL compares; what set the dial is the step's statement, or else the session."""

    stakes: float
    """What is at stake, from 0 to 1."""
    dial: float
    """The most that an agent may do on its own."""
    statement: Statement | None
    """Who states the stakes; None: nobody, so they are 1."""
    is_untrusted: bool
    """The source is untrusted text, which is held back whatever the numbers are."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period that a step depends on."""

    has_ended: bool
    statement: Statement | None
    """Its own: `behavior` is its name, `condition` says who ends it, and on what."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a session says of a name."""

    kind: HoldKind
    term: str
    """The name that it is on; of a scope what of it covers the name, empty: nothing does."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a decision."""

    step: StepKind
    truth: Truth
    """Of the condition; TRUE where there is none."""
    says: Effect
    """What the statement has to say."""
    effect: Effect
    """The running effect after this step."""
    tier: Tier | None
    """Of a duty or limit."""
    is_shadow: bool
    """Evaluated, not enforced."""
    is_clamped: bool
    """The operator's setting was cut down to the platform's ceiling."""
    behavior: str
    failure: str
    """Why the condition failed: "missing-attribute"; empty unless it did."""
    attribute: str
    statement: Statement | None
    dial: Dial | None
    """Of StepKind.DIAL."""
    period: Period | None
    """What it depends on, where that is a period."""
    hold: Hold | None
    """Of StepKind.SESSION; `truth` says whether it holds the name back."""
    suspicion: float | None
    """Of StepKind.SUSPICION: the level, in attempts; `truth` says whether it holds the name back."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change that the way out needs."""

    change: ChangeKind
    decided_by: DecidedBy
    """What decides while this change alone is missing."""
    user: int | None
    """Of a halt: the user id of who stopped it."""
    since: int | None
    """Of a halt: seconds since 1970."""
    halt: str
    """Of a halt: "operator-stop", "all-stop", "no-policy", "authority-lost", "session-stop", "session-expired",
    "session-spent"; else empty."""
    operator: str
    """Of a halt: whom it halts; empty: everybody."""
    session: str
    """Of a halt: the session that it halts, this one or one that it was delegated by; empty: no session alone."""
    behavior: str
    statement: Statement | None
    """What is to be changed."""
    needed: float | None
    """Of a dial or of stakes: the dial that the stakes need; 0: no more than there is."""
    highest: float | None
    """Of a dial or of stakes: the highest that the dial may become by these changes."""
    wait: int | None
    """Of ChangeKind.SUSPICION: the most seconds until it has fallen low enough."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with its steps, and whose changes would lead out of a refusal. `str()` is a text for people."""

    decision: Decision
    steps: tuple[Step, ...]
    """In the order of authority."""
    way: Way
    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.decision)

    def __str__(self) -> str:
        from . import _text

        return _text.explanation(self)


class LicetError(Exception):
    """Nothing was decided. Compare `code` or the class, never the wording."""

    code: ClassVar[int] = 0
    message: str
    system: int
    """An errno, or 0."""

    def __init__(self, message: str, system: int = 0) -> None:
        super().__init__(message, system)
        self.message = message
        self.system = system

    def __str__(self) -> str:
        return self.message


class UnknownError(LicetError):
    """An error of a later liblicet; its `code` is the instance's."""


class InvalidError(LicetError):
    """The program's own mistake: something closed, in use by another thread, or of another authority."""

    code = -1


class NoMemoryError(LicetError):
    """No memory."""

    code = -2


class SystemCallError(LicetError):
    """A system call failed; `system` is its errno."""

    code = -3


class ImageError(LicetError):
    """No image, a broken one, or one of a later version."""

    code = -4


class NoAuthorityError(LicetError):
    """No licetd answers there."""

    code = -5


class ProtocolError(LicetError):
    """What answers is no licetd, or shares no version of the protocol."""

    code = -6


class NotBoundError(LicetError):
    """No `bind` lets this process speak for the operator."""

    code = -7


class UnknownOperatorError(LicetError):
    """There is no such operator."""

    code = -8


class AmbiguousOperatorError(LicetError):
    """Bound to several operators: say which."""

    code = -9


class UnknownAttributeError(LicetError):
    """The platform in force declares no such attribute."""

    code = -10


class VerifiedAttributeError(LicetError):
    """The attribute comes from the authority alone, never from a caller."""

    code = -11


class WrongTypeError(LicetError):
    """The value is not of the type that the platform declares."""

    code = -12


class NoBehaviorError(LicetError):
    """A request for nothing."""

    code = -13


class BadNameError(LicetError):
    """No behaviour's name: segments of a-z, 0-9, _ and -, with dots between."""

    code = -14


class BadRequestError(LicetError):
    """No value that a request can have: text that is not UTF-8, an int beyond 64 bits, an object of another kind."""

    code = -15


class TooManyError(LicetError):
    """Past a bound of one request."""

    code = -16


class LimitsExceededError(LicetError):
    """This user asks the daemon too much at once."""

    code = -17


class NotRecordedError(LicetError):
    """It has to be recorded, and licetd takes no records at the moment."""

    code = -18


class UnknownSessionError(LicetError):
    """There is no such session any more, or not for this operator."""

    code = -19


class ForeignSessionError(LicetError):
    """The session is another user's."""

    code = -20


class BadDialError(LicetError):
    """A dial lies strictly between 0 and 1."""

    code = -21


class BadCostError(LicetError):
    """A cost is a finite number, at least 0."""

    code = -22


ERRORS: dict[int, type[LicetError]] = {kind.code: kind for kind in LicetError.__subclasses__() if kind.code}


def make_error(code: int, message: str, system: int) -> LicetError:
    """The exception for a code of liblicet."""
    kind = ERRORS.get(code)
    message = message or (kind.__doc__ if kind else "") or f"liblicet's error {code}"
    if kind is not None:
        return kind(message, system)
    error = UnknownError(message, system)
    error.__dict__["code"] = code
    return error
