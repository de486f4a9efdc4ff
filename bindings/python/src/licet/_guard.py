"""A tool call, guarded: decided before the tool runs, asked of a human where the policy says so, and refused with why.

May not be loosened by accident: only an ALLOW, or an ASK that the program's handler answered with `True` itself, lets a tool
run, and only if the program honours every obligation.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, Union, cast

from ._licet import Authority, Behavior, Request
from ._types import Decision, Effect, Explanation, InvalidError, LicetError, Mode

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Question:
    """What a human is asked: may this call go ahead?"""

    tool: str
    """The function's name; empty for a `with`."""
    arguments: Mapping[str, object]
    """What it was called with, by name."""
    decision: Decision
    explanation: Explanation


Ask = Callable[[Question], Union[bool, Awaitable[bool]]]


class Denied(Exception):
    """The tool was not run. `str()` says why, step by step, and who could allow it."""

    def __init__(self, reason: str, decision: Decision, explanation: Explanation | None) -> None:
        super().__init__(reason, decision, explanation)
        self.reason = reason
        self.decision = decision
        self.explanation = explanation

    def __str__(self) -> str:
        return self.reason if self.explanation is None else f"{self.reason}\n{self.explanation}"


class Guard:
    """What stands before a tool; `guard()` makes one. For any number of threads and tasks at once."""

    def __init__(
        self,
        authority: Authority,
        behaviors: tuple[str | Behavior, ...],
        fill: Callable[..., object] | None,
        ask: Ask | None,
        honors: frozenset[str],
    ) -> None:
        if not behaviors:
            raise TypeError("guard() needs the name of at least one behaviour")
        self._authority = authority
        self._first, *self._more = (
            authority.behavior(name) if isinstance(name, str) else name for name in behaviors
        )
        self._fill = fill
        self._ask = ask
        self._honors = honors
        self._idle: deque[Request] = deque()

    # -- as a decorator

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        name = getattr(function, "__name__", repr(function))

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
                await self._admit_async(name, signature, args, kwargs)
                return await function(*args, **kwargs)

            return cast(Callable[P, R], later)

        self._refuse_async_ask()

        @functools.wraps(function)
        def now(*args: P.args, **kwargs: P.kwargs) -> R:
            self._admit(name, signature, args, kwargs)
            return function(*args, **kwargs)

        return now

    # -- as a context manager

    def __enter__(self) -> Decision:
        self._refuse_async_ask()
        return self._admit("", None, (), {})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def __aenter__(self) -> Decision:
        return await self._admit_async("", None, (), {})

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    # -- deciding

    def _admit(
        self, tool: str, signature: inspect.Signature | None, args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> Decision:
        request = self._take()
        try:
            self._say(request, args, kwargs)
            decision = self._judge(request, request.decide(self._first, *self._more))
            if decision.effect is Effect.ALLOW:
                return decision
            question = self._question(request, tool, signature, args, kwargs, decision)
            answer = self._handler(question)(question)
            if inspect.isawaitable(answer):
                if inspect.iscoroutine(answer):
                    answer.close()
                raise TypeError("guard(ask=...) returned an awaitable, which a tool that isn't async can't wait for")
            self._settle(question, answer)
            # A human takes a while: what holds now counts.
            return self._judge(request, request.decide(self._first, *self._more))
        finally:
            self._give_back(request)

    async def _admit_async(
        self, tool: str, signature: inspect.Signature | None, args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> Decision:
        request = self._take()
        try:
            self._say(request, args, kwargs)
            decision = await self._aside(self._decided, request)
            if decision.effect is Effect.ALLOW:
                return decision
            question = await self._aside(self._question, request, tool, signature, args, kwargs, decision)
            handler = self._handler(question)
            if inspect.iscoroutinefunction(handler):
                answer: object = await handler(question)
            else:
                answer = await asyncio.to_thread(handler, question)
                if inspect.isawaitable(answer):
                    answer = await answer
            self._settle(question, answer)
            return await self._aside(self._decided, request)
        finally:
            self._give_back(request)

    async def _aside(self, function: Callable[..., R], *arguments: object) -> R:
        """Without holding up the loop: only an image decides without ever waiting for licetd."""
        if self._authority.mode is Mode.EMBEDDED:
            return function(*arguments)
        return await asyncio.to_thread(function, *arguments)

    def _say(self, request: Request, args: tuple[object, ...], kwargs: dict[str, Any]) -> None:
        if self._fill is None:
            return
        filled = self._fill(request, *args, **kwargs)
        if inspect.isawaitable(filled):
            if inspect.iscoroutine(filled):
                filled.close()
            raise TypeError("guard(fill=...) returned an awaitable: it is a plain function, which fills the request")

    def _decided(self, request: Request) -> Decision:
        return self._judge(request, request.decide(self._first, *self._more))

    def _judge(self, request: Request, decision: Decision) -> Decision:
        if decision.effect is Effect.DENY:
            raise Denied(f"{decision.behavior} is denied", decision, self._why(request))
        strange = [name for name in decision.obligations if name not in self._honors]
        if strange:
            reason = f"{decision.behavior} obliges to {', '.join(strange)}, which this program does not honour"
            raise Denied(reason, decision, self._why(request))
        return decision

    def _why(self, request: Request) -> Explanation | None:
        try:
            return request.explain(self._first, *self._more)
        except LicetError:
            return None  # It stays denied; only the reasons are missing.

    def _question(
        self,
        request: Request,
        tool: str,
        signature: inspect.Signature | None,
        args: tuple[object, ...],
        kwargs: dict[str, Any],
        decision: Decision,
    ) -> Question:
        arguments = dict(signature.bind(*args, **kwargs).arguments) if signature else {}
        return Question(tool, arguments, decision, request.explain(self._first, *self._more))

    def _handler(self, question: Question) -> Ask:
        if self._ask is None:
            reason = f"{question.decision.behavior} asks for a human's word, and there is nobody to ask"
            raise Denied(reason, question.decision, question.explanation)
        return self._ask

    def _settle(self, question: Question, answer: object) -> None:
        if answer is not True:
            raise Denied(f"{question.decision.behavior} was not approved", question.decision, question.explanation)

    def _refuse_async_ask(self) -> None:
        if inspect.iscoroutinefunction(self._ask):
            raise TypeError("guard(ask=...) is async, and the tool is not: it could not wait for an answer")

    # -- requests that are used again and again

    def _take(self) -> Request:
        if self._authority.closed:
            raise InvalidError("authority: it is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._authority.request()

    def _give_back(self, request: Request) -> None:
        try:
            request.reset()
        except InvalidError:
            return  # A task was cancelled while a thread decides: that thread has it.
        self._idle.append(request)


def guard(
    authority: Authority,
    *behaviors: str | Behavior,
    fill: Callable[..., object] | None = None,
    ask: Ask | None = None,
    honors: Iterable[str] = (),
) -> Guard:
    """Guards a tool: a decorator of a function or an `async def`, or a context manager (`with`, `async with`).

    The call is one action that is all of `behaviors`. `fill(request, *args, **kwargs)` says what is known of it. `ask` takes
    an ASK to a human; only `True` itself is a yes. For an async tool it may be async; if it is not, it runs in a thread. It
    is told in `Question` what to show. `honors` names the obligations that the program honours: a call with others is denied.
    """
    return Guard(authority, behaviors, fill, ask, frozenset(honors))
