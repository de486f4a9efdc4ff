"""Sessions in process (docs/sessions.md): what one process changes in one, another one that asks in it sees at its next
decision; a session ends with who opened it, and with licetd."""

from rig import *

E_UNKNOWN_ATTRIBUTE, E_WRONG_TYPE, E_BAD_NAME, E_BAD_REQUEST = -10, -12, -14, -15
E_UNKNOWN_SESSION, E_FOREIGN_SESSION, E_BAD_DIAL, E_BAD_COST = -19, -20, -21, -22
BY_SESSION, BY_SUSPICION, BY_DIAL, BY_HALT = 1, 2, 3, 4
BOTH = (SNAPSHOT, REMOTE)

SESSION_PLATFORM = """licet: 1
layer: platform
name: rig
unknown: deny
attributes: {request: {count: int, label: string}, user: {role: string, id: string}, session: {purpose: string}}
behaviors:
  tool: {default: deny, operators-may: allow, stakes: 0}
  tool.ask: {default: ask, operators-may: allow, stakes: 0}
  tool.wish: {default: ask, users-may: allow, stakes: 0}
  tool.dialled: {default: allow, stakes: 0.05}
  harm.rig: {hardcoded: 'off'}
dial: {default: 0.1, operators-may: 0.1, users-may: 0.4}
rules:
  - {limit: tool.member, to: deny, when: user.role != "member"}
  - {limit: tool.purpose, to: deny, when: session.purpose != "tests"}
"""


def keeper(rig, platform=SESSION_PLATFORM):
    rig.put("platform.yaml", platform)
    rig.put("operators.d/keeper.yaml", rig.operator("keeper", f"{{user: {OWN}}}", "rev-1") +
            "  - {allow: tool.member}\n  - {allow: tool.purpose}\n")
    rig.reload()


def opened(agent, place, *terms):
    answer = agent.say(f"session {place} open {' '.join(terms)}")
    assert answer["code"] == "0" and len(answer["id"]) == 32, answer
    return answer["id"]


def done(agent, line, wanted=0):
    answer = agent.say(line)
    assert int(answer["code"]) == wanted, f"{line}: {answer}, wanted {wanted}"
    return answer


def decided(agent, name, effect, over=0, lost=0):
    """Also what of oversight decided."""
    found = agent.check(name)
    assert found[0] == effect and found[2] == lost and int(agent.last["over"]) == over, f"{name}: {agent.last}, wanted {effect} by {over}"


def two(rig, mode, *terms, stale_ms=0):
    """One that opened a session, one that joined it; both ask in it."""
    one, other = rig.agent(mode, stale_ms=stale_ms), rig.agent(mode, stale_ms=stale_ms)
    session = opened(one, 0, *terms)
    done(other, f"session 0 join {session}")
    for agent in (one, other):
        done(agent, "session 0 use")
    return one, other, session


def everything_is_seen_by_others(rig):
    """A preference, the dial, what is spent, a close: by the one that joined at its next decision, whoever changes it."""
    keeper(rig)
    for mode in BOTH:
        one, other, session = two(rig, mode, "user.role=member", "session.purpose=tests", "cost=2", "cap=tool.ask:0")
        for agent in (one, other):
            decided(agent, "tool.read", ALLOW)
            decided(agent, "tool.member", ALLOW)
            decided(agent, "tool.purpose", ALLOW)
            decided(agent, "tool.ask", DENY, BY_SESSION)
            decided(agent, "tool.wish", ASK)
            decided(agent, "tool.dialled", ALLOW)
        for changer, witness in ((one, other), (other, one)):
            done(changer, "session 0 prefer tool.wish 2")
            decided(witness, "tool.wish", ALLOW)
            decided(changer, "tool.wish", ALLOW)
            done(changer, "session 0 prefer tool.wish -1")
            decided(witness, "tool.wish", ASK)
            done(changer, "session 0 dial 0.01")
            decided(witness, "tool.dialled", ASK, BY_DIAL)
            done(changer, "session 0 dial 0.3")
            decided(witness, "tool.dialled", ALLOW)
        assert done(other, "session 0 spend 1.5")["left"] == "0.5"
        decided(one, "tool.read", ALLOW)
        assert done(one, "session 0 spend 0.5")["left"] == "0"
        for agent in (one, other):
            decided(agent, "tool.read", DENY, BY_HALT)
            assert agent.say("explain tool.read")["halt"] == "session-spent"
        done(other, "session 0 close")
        for agent in (one, other):
            assert agent.check()[0] == E_UNKNOWN_SESSION, agent.last
            done(agent, "session 0 prefer tool.wish 2", E_UNKNOWN_SESSION)
            done(agent, "session 0 leave")
            decided(agent, "tool.read", ALLOW)


def stops_reach_children(rig):
    """A stop over the bus is seen by every process and in every delegate at the next decision."""
    keeper(rig)
    for mode in BOTH:
        one, other, session = two(rig, mode)
        child = done(one, "session 0 delegate 1 scope=tool.read cap=tool.read:2")["id"]
        done(other, f"session 1 join {child}")
        for agent in (one, other):
            done(agent, "session 1 use")
            decided(agent, "tool.read", ALLOW)
            decided(agent, "tool.ask", DENY, BY_SESSION)
        stop(rig, session)
        for agent in (one, other):
            decided(agent, "tool.read", DENY, BY_HALT)
            assert agent.say("explain tool.read")["halt"] == "session-stop"
            done(agent, "session 0 use")
            decided(agent, "tool.read", DENY, BY_HALT)


def stop(rig, session):
    subprocess.run(["busctl", "--address", rig.address, "--timeout=15", "call", "org.licet.Licet1",
                    f"/org/licet/Licet1/session/{session}", "org.licet.Licet1.Session", "Stop"], check=True, stdout=subprocess.DEVNULL)


def terms_end(rig):
    """Time that is over halts where it is decided, with licetd and without."""
    keeper(rig)
    for mode in BOTH:
        one, other, _ = two(rig, mode, "lifetime=700")
        decided(one, "tool.read", ALLOW)
        decided(other, "tool.read", ALLOW)
        time.sleep(0.8)
        for agent in (one, other):
            decided(agent, "tool.read", DENY, BY_HALT)
            assert agent.say("explain tool.read")["halt"] == "session-expired"
    # A stopped licetd doesn't prolong it.
    agent = rig.agent(SNAPSHOT, timeout_ms=200, loss=ASK)
    opened(agent, 0, "lifetime=500")
    done(agent, "session 0 use")
    decided(agent, "tool.read", ALLOW)
    rig.signal(rig.daemon.pid, signal.SIGSTOP)
    try:
        time.sleep(0.6)
        assert agent.check()[0] == DENY, agent.last
    finally:
        rig.signal(rig.daemon.pid, signal.SIGCONT)


def scopes_and_resources(rig):
    keeper(rig)
    for mode in BOTH:
        agent = rig.agent(mode)
        opened(agent, 0, "scope=tool.read", "resource=/srv/*/notes", "resource=/home/**")
        done(agent, "session 0 use")
        decided(agent, "tool.read", DENY, BY_SESSION)
        for resource, effect in (("/srv/a/notes", ALLOW), ("/srv/a/b/notes", DENY), ("/home/x/y", ALLOW), ("/home/../etc", DENY)):
            agent.say(f"resource {resource}")
            decided(agent, "tool.read", effect, 0 if effect == ALLOW else BY_SESSION)
        decided(agent, "tool.member", DENY, BY_SESSION)


def attributes_belong_to_the_session(rig):
    """What the session says can't be said by the request, in either order; what it doesn't can. A new platform lays them anew."""
    keeper(rig)
    for mode in BOTH:
        agent = rig.agent(mode)
        opened(agent, 0, "user.role=guest")
        assert done(agent, "set user.role member")
        decided(agent, "tool.member", ALLOW)
        done(agent, "session 0 use")
        assert agent.check()[0] == E_BAD_REQUEST and "user.role" in agent.last["message"], agent.last
        done(agent, "session 0 leave")
        decided(agent, "tool.member", ALLOW)
        agent.say("reset")
        done(agent, "session 0 use")
        decided(agent, "tool.member", DENY)
        done(agent, "set user.role member", E_BAD_REQUEST)
        assert agent.check()[0] == E_BAD_REQUEST, agent.last
        agent.say("reset")
        done(agent, "session 0 use")
        done(agent, "set session.purpose tests")
        decided(agent, "tool.purpose", ALLOW)
        rig.put("platform.yaml", SESSION_PLATFORM.replace("request: {count", "request: {another: int, count") + f"# {mode}\n")
        rig.reload()
        decided(agent, "tool.purpose", ALLOW)
        decided(agent, "tool.member", DENY)
        done(agent, "session 1 open user.nobody=x", E_UNKNOWN_ATTRIBUTE)
        done(agent, "session 1 open request.label=x", E_BAD_REQUEST)
        done(agent, "session 1 open dial=1.5", E_BAD_DIAL)
        done(agent, "session 1 open cost=-1", E_BAD_COST)
        done(agent, "session 1 open cap=Tool:0", E_BAD_NAME)
        done(agent, "session 0 delegate 1 user.role=member", E_BAD_REQUEST)
        done(agent, f"session 1 join {'0' * 31}1", E_UNKNOWN_SESSION)
        done(agent, "session 1 join nonsense", E_UNKNOWN_SESSION)
        rig.put("platform.yaml", SESSION_PLATFORM)
        rig.reload()


def suspicion(rig):
    """Asking for what is off absolutely makes the session suspect, in every process; outside of sessions the operator."""
    keeper(rig, SESSION_PLATFORM + "suspicion: {half-life: 1h, ask-at: 2, deny-at: 6, for: [tool]}\n")
    for mode in BOTH:
        one, other, _ = two(rig, mode)
        third = rig.agent(mode)
        opened(third, 0)
        done(third, "session 0 use")
        for agent in (one, other, third):
            decided(agent, "tool.read", ALLOW)
        one.say("argument it-is-urgent")
        for _ in range(3):
            decided(one, "harm.rig", DENY)
            decided(other, "tool.read", ASK if _ < 2 else DENY, BY_SUSPICION)
        decided(one, "tool.read", DENY, BY_SUSPICION)
        # Another session isn't.
        decided(third, "tool.read", ALLOW)
    # Last, since nothing takes it back.
    outside = [rig.agent(mode) for mode in BOTH]
    for agent in outside:
        decided(agent, "tool.read", ALLOW)
    for _ in range(2):
        decided(outside[0], "harm.rig.worse", DENY)
    for agent in outside:
        decided(agent, "tool.read", ASK, BY_SUSPICION)
        assert agent.say("explain tool.read")["effect"] == str(ASK)


def opener_is_killed(rig):
    """A session ends with the process that opened it, for everybody."""
    keeper(rig)
    for mode in BOTH:
        one, other, _ = two(rig, mode)
        decided(other, "tool.read", ALLOW)
        one.process.kill()
        one.process.wait()
        rig.wait_for(lambda: other.check()[0] == E_UNKNOWN_SESSION, f"it ended with its opener: {other.last}", 5)
        done(other, "session 0 delegate 1", E_UNKNOWN_SESSION)


def forks_find_it_again(rig):
    """A child asks in the session that it was born with, by an attachment of its own, and sees what changes; it ends nothing."""
    keeper(rig)
    for mode in BOTH:
        one, other, session = two(rig, mode)
        assert one.process.stdin and one.say("fork") is not None
        decided(one, "tool.read", ALLOW)
        done(other, "session 0 prefer tool.wish 2")
        decided(one, "tool.wish", ALLOW)
        done(one, "session 0 dial 0.2")
        one.process.stdin.write("exit\n")
        one.process.stdin.flush()
        assert one.process.stdout.readline() == "reaped\n"
        decided(one, "tool.wish", ALLOW)
        decided(other, "tool.read", ALLOW)


def restart(rig):
    """Sessions end with licetd: who asks in one is told so, and opens another one."""
    keeper(rig)
    agents = [two(rig, mode, stale_ms=300) for mode in BOTH]
    rig.restart()
    # Without a page that was kept, the one that ended is stale first.
    time.sleep(0.5)
    for one, other, _ in agents:
        for agent in (one, other):
            assert agent.check()[0] == E_UNKNOWN_SESSION, agent.last
            done(agent, "session 0 leave")
            decided(agent, "tool.read", ALLOW)
        opened(one, 1, "cap=tool.read:1")
        done(one, "session 1 use")
        decided(one, "tool.read", ASK, BY_SESSION)
    # While it is away, what was in force decides, and a stop by the next one is obeyed.
    one, other, _ = two(rig, SNAPSHOT, "cap=tool.ask:0", stale_ms=2500)
    rig.kill_daemon()
    decided(one, "tool.read", ALLOW)
    decided(one, "tool.ask", DENY, BY_SESSION)
    rig.start_daemon()
    time.sleep(2.6)
    assert one.check()[0] == E_UNKNOWN_SESSION, one.last


def records_are_derived(rig):
    """What is recorded in sessions is decided again by what they held then: nothing differs."""
    keeper(rig)
    agent = rig.agent(SNAPSHOT)
    opened(agent, 0, "user.role=guest", "scope=tool.read")
    done(agent, "session 0 use")
    for round_ in range(20):
        decided(agent, "tool.member", DENY, BY_SESSION)
        done(agent, f"session 0 prefer tool.wish {round_ % 3}")
        decided(agent, "tool.wish", DENY, BY_SESSION)
        decided(agent, "tool.read", ALLOW)
    done(agent, "session 0 spend 1")
    done(agent, "session 0 close")
    other = rig.agent(SNAPSHOT)
    done(other, f"session 0 open")
    for each in (agent, other):
        each.end()
    rig.wait_for(lambda: status(rig)["asserted"] >= 60, f"records are taken: {status(rig)}", 5)
    found = status(rig)
    assert found["differing"] == 0 and found["underived"] == 0, found


def status(rig):
    return {key: one["data"] for key, one in rig.call("Admin", "Status")[0].items() if isinstance(one["data"], int)}


TESTS = [everything_is_seen_by_others, stops_reach_children, terms_end, scopes_and_resources, attributes_belong_to_the_session,
         suspicion, opener_is_killed, forks_find_it_again, restart, records_are_derived]
