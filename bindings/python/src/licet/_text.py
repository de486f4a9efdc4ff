"""An explanation as a text for people, as `licet explain` writes it, shorter."""

from __future__ import annotations

from ._types import (
    Change,
    ChangeKind,
    DecidedBy,
    Effect,
    Explanation,
    Form,
    HoldKind,
    Oversight,
    Step,
    StepKind,
    Tier,
    Truth,
    Way,
)

_DECIDERS = {
    DecidedBy.DEFAULT: "the platform's default",
    DecidedBy.SETTING: "the operator's setting",
    DecidedBy.CEILING: "the platform's ceiling on what operators may set",
    DecidedBy.PREFERENCE: "the user's preference",
    DecidedBy.OPERATOR_TIER: "the operator's limit",
    DecidedBy.GUIDELINE: "the platform's limits and duties (guideline)",
    DecidedBy.ETHICS: "the platform's limits and duties (ethics)",
    DecidedBy.SAFETY: "the platform's limits and duties (safety)",
    DecidedBy.OVERSIGHT: "oversight",
    DecidedBy.ABSOLUTE: "an absolute",
}

_OVERSIGHT = {
    Oversight.SESSION: "oversight: the session",
    Oversight.SUSPICION: "oversight: suspicion",
    Oversight.DIAL: "oversight: the dial",
    Oversight.HALT: "oversight: a halt",
}

_HOLDS = {
    HoldKind.CAP: "the session caps {term} at {says}",
    HoldKind.SCOPE: "outside of the session's scope",
    HoldKind.RESOURCES: "the resource is none of the session's",
    HoldKind.PREFERENCE: "what a delegate prefers only caps: {says}",
}

_WAYS = {
    Way.USER: "the user",
    Way.OPERATOR: "the operator",
    Way.PLATFORM: "the platform",
    Way.AUTHORITIES: "the authorities of a period",
    Way.WAIT: "to wait",
}

_HALTS = {
    "operator-stop": "somebody lets the operator go on: it was stopped",
    "all-stop": "somebody lets everything go on: all was stopped",
    "no-policy": "a policy comes into force: there is none",
    "authority-lost": "licetd is reached again",
    "session-stop": "another session: this one was stopped",
    "session-expired": "another session: this one's time is over",
    "session-spent": "another session: this one has spent what it may",
}


def _word(effect: Effect) -> str:
    return effect.name.lower()


def _step(step: Step) -> str:
    says = _word(step.says)
    tier = "the operator" if step.tier is Tier.OPERATOR else step.tier.name.lower() if step.tier is not None else ""
    match step.step:
        case StepKind.DEFAULT:
            text = "by default"
            if step.statement and step.statement.form is Form.CHOSEN:
                text = "by default, chosen for its population"
            elif step.statement and step.statement.form is Form.AUDIENCE:
                text = "chosen for its audience"
        case StepKind.SETTING:
            text = f"the operator says {says}"
        case StepKind.OPERATOR:
            text = "so the operator" + (", cut down to the platform's ceiling" if step.is_clamped else "")
        case StepKind.GRANT:
            text = f"the operator lets users go up to {says}"
        case StepKind.PREFERENCE:
            text = f"the user prefers {says}"
        case StepKind.DUTY:
            text = f"{tier} owes at least {says}"
        case StepKind.LIMIT:
            text = f"{tier} limits to {says}"
        case StepKind.OVERSIGHT:
            text = "halted"
        case StepKind.ABSOLUTE:
            text = f"absolutely {says}"
        case StepKind.DIAL if step.dial and step.dial.is_untrusted:
            text = f"untrusted text asks: {says} at most"
        case StepKind.DIAL if step.dial:
            text = f"at stake is {step.dial.stakes:g}, and the dial is {step.dial.dial:g}: {says} at most"
        case StepKind.SESSION if step.hold:
            text = _HOLDS[step.hold.kind].format(term=step.hold.term, says=says)
        case StepKind.SUSPICION if step.suspicion is not None:
            text = f"suspect, at {step.suspicion:g} attempts: {says} at most"
        case _:
            text = f"step {step.step}"
    if step.period and step.period.statement:
        state = "has ended" if step.period.has_ended else "runs"
        text += f" (the period {step.period.statement.behavior} {state})"
    if step.truth is Truth.FAILED:
        text += f", though its condition failed ({step.failure}{' ' + step.attribute if step.attribute else ''})"
    if step.is_shadow:
        text += " (shadow: not enforced)"
    return f"{_word(step.effect):5}  {text}" + (f"  {step.statement}" if step.statement else "")


def _reach(change: Change) -> str:
    return f" to {change.needed:g} at least" if change.needed else ""


def _change(change: Change) -> str:
    at = f" (now {change.statement})" if change.statement else ""
    match change.change:
        case ChangeKind.PREFERENCE:
            return f"the user allows {change.behavior}{at}"
        case ChangeKind.SETTING:
            return f"the operator allows {change.behavior}{at}"
        case ChangeKind.OPERATOR_LIMIT:
            return f"the operator lifts its limit on {change.behavior}{at}"
        case ChangeKind.CHOICE:
            return f"the platform lets {change.behavior} be allowed{at}"
        case ChangeKind.PLATFORM_LIMIT:
            return f"the platform lifts its limit on {change.behavior}{at}"
        case ChangeKind.SESSION_DIAL:
            return f"the session's dial goes up{_reach(change)} for {change.behavior}{at}"
        case ChangeKind.OPERATOR_DIAL:
            return f"the operator sets a higher dial{_reach(change)} for {change.behavior}{at}"
        case ChangeKind.STAKES:
            return f"the platform states stakes of {change.highest:g} at most for {change.behavior}, or raises the dial{at}"
        case ChangeKind.PERIOD:
            name, terms = (change.statement.behavior, change.statement.condition) if change.statement else ("", "")
            return f"wait until the period {name} ends, by {terms}{at}"
        case ChangeKind.COUNTER:
            name, terms = (change.statement.behavior, change.statement.condition) if change.statement else ("", "")
            return f"wait until the counter {name} has fallen: it counts {terms}{at}"
        case ChangeKind.SESSION:
            return f"a session with wider terms for {change.behavior}"
        case ChangeKind.SUSPICION:
            return f"wait until suspicion has decayed: {change.wait} seconds at most"
        case ChangeKind.HALT:
            return _HALTS.get(change.halt, f"the halt {change.halt} ends")
        case _:
            return f"change {change.change}{at}"


def explanation(e: Explanation) -> str:
    decision = e.decision
    lines = [f"{_word(decision.effect)}  {decision.behavior}"]
    by = _DECIDERS.get(decision.decided_by, str(decision.decided_by))
    if decision.oversight is not None:
        by = _OVERSIGHT.get(decision.oversight, by)
    lines.append(f"  decided by  {by}" + (f", {decision.statement}" if decision.statement else ""))
    if decision.lost:
        lines.append("  the authority can't be reached; this is what was to be answered then")
    if decision.statement and decision.statement.condition:
        is_choice = decision.statement.form in (Form.CHOSEN, Form.AUDIENCE)
        lines.append(f"  {'chosen' if is_choice else 'when':<10}  {decision.statement.condition}")
    if decision.obligations:
        lines.append(f"  obliges to  {', '.join(decision.obligations)}")
    steps = [step for step in e.steps if step.truth is not Truth.FALSE]
    if steps:
        lines.append("Step by step")
        lines += [f"  {_step(step)}" for step in steps]
    if e.way is Way.NOBODY:
        lines.append("The way: nobody can allow it")
    elif e.way in _WAYS:
        lines.append(f"The way: it takes {_WAYS[e.way]}")
        lines += [f"  {_change(change)}" for change in e.changes]
    return "\n".join(lines)
