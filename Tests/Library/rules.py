"""The rules of a snapshot (DESIGN §5) against a licetd: what is new is seen at the next decision, what is not in force any more
decides no longer than stated, and nobody gets what belongs to others."""

import array
import fcntl
import select
import socket
import threading

from rig import *

BOTH = (SNAPSHOT, REMOTE)


def next_decision_sees_a_reload(rig):
    """50 reloads, each decided by at once; a request that holds attributes is laid out anew."""
    agents = [rig.agent(mode) for mode in BOTH]
    for agent in agents:
        agent.say("count 9")
        agent.is_allowed(1)
    for round_ in range(50):
        generation = rig.next_revision()
        for agent in agents:
            agent.is_allowed(rig.revision)
            assert int(agent.last["generation"]) == generation == int(agent.last["seen"]), f"{agent.last}, wanted {generation}"
            assert agent.check("tool.ask") == (ALLOW, "", 0), agent.last
    # The platform's image changes too, and then the declared attributes.
    rig.put("platform.yaml", PLATFORM.format(1).replace("tool.ask: {default: ask, operators-may: allow, stakes: 0}", "tool.ask: {default: ask}"))
    rig.put("operators.d/keeper.yaml", rig.operator("keeper", f"{{user: {OWN}}}", "rev-900").replace(
        "  - {allow: tool.ask, when: request.count > 3}\n", ""))
    rig.reload()
    for agent in agents:
        agent.is_allowed(900)
        assert agent.check("tool.ask") == (ASK, "", 0), agent.last
    rig.put("platform.yaml", PLATFORM.format(2).replace("count: int, ", ""))
    rig.put("operators.d/keeper.yaml", rig.operator("keeper", f"{{user: {OWN}}}", "rev-901").replace(
        "  - {allow: tool.ask, when: request.count > 3}\n", ""))
    rig.reload()
    for agent in agents:
        assert agent.check()[0] == -10, f"an attribute that is declared no more: {agent.last}"
        agent.say("reset")
        agent.is_allowed(901)
    maps = agents[0].say("maps")
    assert int(maps["maps"]) < 60 and int(maps["descriptors"]) < 8, f"old images are kept: {maps}"


def stops_and_resumes(rig):
    """A stop of one operator and of all, seen at the next decision, with its trace."""
    agents = [rig.agent(mode) for mode in BOTH]
    for stop, resume in ((("Stop", "s", "keeper"), ("Resume", "s", "keeper")), (("StopAll",), ("ResumeAll",))):
        for _ in range(5):
            for agent in agents:
                agent.is_allowed(1)
            rig.call("Admin", *stop)
            for agent in agents:
                assert agent.check() == (DENY, "rev-1", 0), agent.last
                assert agent.last["by"] == "8", agent.last
                explained = agent.say("explain tool.read")
                assert explained["halt"] == ("operator-stop" if stop[0] == "Stop" else "all-stop"), explained
            rig.call("Admin", *resume)
    rig.call("Admin", "Stop", "s", "other")
    for agent in agents:
        agent.is_allowed(1)


def unbinding(rig):
    """Who is bound no more is refused at the next decision, by name; and is served again when it is bound again."""
    agents = [rig.agent(mode) for mode in BOTH]
    for round_ in range(3):
        for agent in agents:
            agent.is_allowed(rig.revision)
        rig.put_keeper(rig.revision + 1, bind="{user: daemon}")
        rig.reload()
        for agent in agents:
            assert agent.check()[0] == E_NOT_BOUND, agent.last
            assert "keeper" in agent.last["message"], agent.last
        rig.agent(SNAPSHOT, wanted=E_NOT_BOUND)
        rig.next_revision()
        for agent in agents:
            rig.wait_for(lambda: agent.check()[0] == ALLOW, f"bound again: {agent.last}", 3)
    # Its files are gone altogether.
    (rig.policy / "operators.d/keeper.yaml").unlink()
    rig.reload()
    for agent in agents:
        effect = agent.check()[0]
        assert effect != ALLOW, agent.last
    opened = Agent(rig).say(f"open {rig.socket} 0 0 1000 0 keeper")
    assert int(opened["code"]) in (E_NOT_BOUND, E_UNKNOWN_OPERATOR), opened


def names_of_operators(rig):
    """The only one that one is bound to needs no name; of several, one does; others' and unknown ones are refused."""
    agent = rig.agent(operator="")
    agent.is_allowed(1)
    for mode in BOTH:
        rig.agent(mode, operator="other", wanted=E_NOT_BOUND)
        opened = Agent(rig).say(f"open {rig.socket} {mode} 0 1000 0 nobody-knows")
        assert int(opened["code"]) in (E_NOT_BOUND, E_UNKNOWN_OPERATOR), opened
    rig.put("operators.d/second.yaml", rig.operator("second", f"{{user: {OWN}}}", "of-second"))
    rig.reload()
    for mode in BOTH:
        rig.agent(mode, operator="", wanted=E_AMBIGUOUS)
        second = rig.agent(mode, operator="second")
        assert second.check() == (ALLOW, "of-second", 0), second.last
    Agent(rig).say(f"open {rig.folder}/nothing 0 0 1000 0 keeper")["code"] == str(E_NO_AUTHORITY) or fail("no socket")


def fail(text):
    raise AssertionError(text)


# ---- what is handed out


def message(kind, serial, body):
    return struct.pack("<HHI", kind, 0, serial) + body


def text(value):
    return struct.pack("<I", len(value)) + value


def attach(connection, operator, lowest=1, highest=1, images=1):
    """(kind, body, descriptors) of the answer."""
    connection.send(message(1, 7, struct.pack("<HHHH", lowest, highest, images, 0) + text(operator)))
    return receive(connection)


def receive(connection):
    answer, ancillary, _, _ = connection.recvmsg(65536, 1024)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % 4])
    kind, _, serial = struct.unpack_from("<HHI", answer)
    assert serial == 7, serial
    return kind, answer[8:], list(descriptors)


def connect(rig):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(5)
    connection.connect(str(rig.socket))
    return connection


def only_ones_own_images(rig):
    """For another's operator: a refusal without a descriptor. For one's own: the page, the platform and one's own overlay, with
    nothing of others in them."""
    with connect(rig) as connection:
        kind, body, descriptors = attach(connection, b"other")
        assert kind == 4 and not descriptors, f"kind {kind}, descriptors {descriptors}"
        assert struct.unpack_from("<i", body)[0] == E_NOT_BOUND, body
        # Having been refused, it is nobody's yet.
        connection.send(message(2, 7, struct.pack("<QQ", 0, 0)))
        kind, body, descriptors = receive(connection)
        assert kind == 4 and not descriptors, f"refresh without attach: kind {kind}, {descriptors}"
        kind, body, descriptors = attach(connection, b"keeper")
        assert kind == 0x8001 and len(descriptors) == 3, f"kind {kind}, descriptors {descriptors}"
        contents = [os.pread(fd, 1 << 20, 0) for fd in descriptors]
        names = [os.readlink(f"/proc/self/fd/{fd}") for fd in descriptors]
        assert ["state" in names[0], "platform" in names[1], "operator" in names[2]] == [True] * 3, names
        assert b"rev-1" in contents[2], "the operator's own image doesn't hold its obligation"
        for name, content in zip(names, contents):
            assert b"other" not in content and b"daemon" not in content, f"{name} holds another operator's"
        # An attachment for another one later on the same connection brings nothing either.
        kind, _, more = attach(connection, b"other")
        assert kind == 4 and not more, f"kind {kind}, {more}"
        connection.send(message(2, 7, struct.pack("<QQ", 0, 0)))
        kind, _, more = receive(connection)
        assert kind in (4, 0x8002) and len(more) in (0, 2), f"refresh: kind {kind}, {more}"
        for fd in more:
            assert b"other" not in os.pread(fd, 1 << 20, 0), "another operator's image"
        for fd in descriptors + more:
            os.close(fd)


def descriptors_only_read(rig):
    """Neither written, mapped to write, resized, nor sealed otherwise; not by reopening them either."""
    with connect(rig) as connection:
        _, _, descriptors = attach(connection, b"keeper")
        for fd in descriptors:
            name, size = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd).st_size
            isState = "state" in name
            assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY, f"{name} isn't read-only"
            assert os.fstat(fd).st_mode & 0o777 == 0o600, f"{name}: mode {os.fstat(fd).st_mode:o}"
            refused(f"{name}: write", lambda: os.pwrite(fd, b"x", 0))
            refused(f"{name}: truncate", lambda: os.ftruncate(fd, 0))
            refused(f"{name}: mmap", lambda: mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE))
            refused(f"{name}: seals", lambda: fcntl.fcntl(fd, 1033, 1))
            seals = fcntl.fcntl(fd, 1034)
            assert seals & 7 == 7 and (isState or seals & 8), f"{name}: seals {seals:#x}"
            if not isState or not IS_ROOT:
                again = reopened(fd)
                if again is not None:
                    refused(f"{name}, reopened: write", lambda: os.pwrite(again, b"x", 0))
                    refused(f"{name}, reopened: truncate", lambda: os.ftruncate(again, 0))
                    refused(f"{name}, reopened: mmap", lambda: mmap.mmap(again, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE))
                    os.close(again)
        if IS_ROOT:
            # Another user, whose descriptors they are: mode 0600 is licetd's.
            child = os.fork()
            if child == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                os._exit(1 if any(reopened(fd) is not None for fd in descriptors) else 0)
            assert os.waitpid(child, 0)[1] == 0, "another user reopens them to write"
        for fd in descriptors:
            os.close(fd)


def reopened(fd):
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    except OSError:
        return None


def refused(what, attempt):
    try:
        attempt()
    except (OSError, ValueError):
        return
    fail(f"{what} was let through")


def versions(rig):
    """The highest version that both know; none in common: a refusal that says so."""
    for lowest, highest, isServed in ((1, 1, True), (1, 999, True), (0, 1, True), (900, 999, False), (2, 1, False), (0, 0, False)):
        with connect(rig) as connection:
            kind, body, descriptors = attach(connection, b"keeper", lowest, highest)
            for fd in descriptors:
                os.close(fd)
            if isServed:
                assert kind == 0x8001 and max(1, lowest) <= struct.unpack_from("<H", body)[0] <= highest, f"{lowest} to {highest}: {kind}"
            else:
                assert kind == 4 and struct.unpack_from("<i", body)[0] == E_PROTOCOL, f"{lowest} to {highest}: {kind} {body}"
    # Garbage ends the connection, or is refused; licetd lives.
    randomness = random.Random(4)
    for _ in range(300):
        with connect(rig) as connection:
            isKnown = randomness.random() < 0.7
            head = struct.pack("<HHI", randomness.choice([1, 2, 3]) if isKnown else randomness.randrange(65536),
                               randomness.choice([0, 0, 1, 65535]), 7)
            try:
                connection.send((head + randomness.randbytes(randomness.randrange(200)))[: randomness.randrange(1, 208)])
                connection.recv(65536)
            except OSError:
                pass
    assert rig.daemon.poll() is None, "licetd ended of garbage"
    rig.agent().is_allowed(1)


# ---- when licetd isn't there


def staleness(rig):
    """SIGSTOP: it goes on until `stale_after`, then `on_authority_loss`; SIGCONT: it recovers."""
    for loss in (DENY, ASK):
        agent = rig.agent(SNAPSHOT, stale_ms=1500, timeout_ms=200, loss=loss)
        agent.is_allowed(1)
        rig.signal(rig.daemon.pid, signal.SIGSTOP)
        begin, last = time.monotonic(), 0.0
        try:
            while (found := agent.check())[2] == 0:
                assert found[:2] == (ALLOW, "rev-1"), found
                last = time.monotonic() - begin
                assert last < 3, f"fresh {last:.1f} s after the last sign of life, stale_after is 1.5 s"
                time.sleep(0.01)
            # Its last sign of life may have been 1 s before the stop.
            assert last > 0.4, f"lost after {last:.2f} s already"
            assert found[0] == loss, f"{found}, on_authority_loss {loss}"
            # What the policy denies stays denied, and what is asked again soon doesn't wait each time.
            assert agent.check("tool.write")[0] == DENY, agent.last
            assert agent.say("explain tool.read")["halt"] == "authority-lost", agent.last
            begin = time.monotonic()
            for _ in range(100):
                assert agent.check()[::2] == (loss, 1), agent.last
            assert time.monotonic() - begin < 1.2, f"100 decisions without an authority take {time.monotonic() - begin:.1f} s"
        finally:
            rig.signal(rig.daemon.pid, signal.SIGCONT)
        rig.wait_for(lambda: agent.check() == (ALLOW, "rev-1", 0), "it recovers", 4)
        assert int(agent.last["mode"]) == SNAPSHOT, agent.last


def mute_remote(rig):
    """A remote check of a daemon that doesn't answer ends within its time-out, as lost; then recovers."""
    agent = rig.agent(REMOTE, timeout_ms=200)
    agent.is_allowed(1)
    rig.signal(rig.daemon.pid, signal.SIGSTOP)
    begin = time.monotonic()
    found = agent.check()
    took = time.monotonic() - begin
    rig.signal(rig.daemon.pid, signal.SIGCONT)
    assert found[::2] == (DENY, 1), found
    assert took < 1.5, f"a time-out of 200 ms took {took:.1f} s"
    rig.wait_for(lambda: agent.check() == (ALLOW, "rev-1", 0), "it recovers", 4)


def clean_end(rig):
    """licetd ends cleanly: the next decision knows. Started again, it decides again, by a policy that changed meanwhile."""
    agents = [rig.agent(mode, timeout_ms=300) for mode in BOTH]
    for agent in agents:
        agent.is_allowed(1)
    rig.kill_daemon(signal.SIGTERM)
    for agent in agents:
        begin = time.monotonic()
        assert agent.check()[::2] == (DENY, 1), agent.last
        assert time.monotonic() - begin < 1.5, "it takes too long"
    rig.put_keeper(2)
    rig.start_daemon()
    rig.reload()
    for agent in agents:
        rig.wait_for(lambda: agent.check() == (ALLOW, "rev-2", 0), f"it decides again: {agent.last}", 4)


def restart_without_a_store(rig):
    """kill -9, and no manager that keeps the page: the old policy decides no longer than `stale_after`, then the new daemon's."""
    agents = [rig.agent(mode, stale_ms=1500, timeout_ms=300) for mode in BOTH]
    for agent in agents:
        agent.is_allowed(1)
    rig.kill_daemon()
    rig.put_keeper(2)
    rig.start_daemon()
    rig.reload()
    begin = time.monotonic()
    for agent in agents:
        while (found := agent.check()) != (ALLOW, "rev-2", 0):
            assert found == (ALLOW, "rev-1", 0), f"{found}: {agent.last}"
            assert time.monotonic() - begin < 2, "the old policy decides on"
            time.sleep(0.01)


def no_policy(rig):
    """A daemon without a platform: everything is denied, by oversight, and named so; then there is one."""
    shutil.copy(rig.policy / "platform.yaml", rig.folder / "kept.yaml")
    rig.kill_daemon(signal.SIGTERM)
    shutil.rmtree(rig.state)
    rig.state.mkdir()
    (rig.policy / "platform.yaml").unlink()
    rig.start_daemon(isAwaited=False)
    rig.wait_for(lambda: rig.call("Admin", "Reload", quiet=True) is not None, "licetd serves")
    agents = [rig.agent(mode) for mode in BOTH]
    for agent in agents:
        assert agent.check() == (DENY, "", 0), agent.last
        assert agent.last["by"] == "8", agent.last
        assert agent.say("explain tool.read")["halt"] == "no-policy", agent.last
        agent.say("count 9")
    shutil.move(rig.folder / "kept.yaml", rig.policy / "platform.yaml")
    rig.reload()
    for agent in agents:
        agent.is_allowed(1)
        assert agent.check("tool.ask") == (ALLOW, "", 0), agent.last


def mapping_refused(rig):
    """Under a filter that lets no file be mapped: licetd decides, call by call, the same."""
    agent = Agent(rig)
    agent.say("refuse-maps")
    opened = agent.say(f"open {rig.socket} {SNAPSHOT} 0 1000 {DENY} keeper")
    assert opened["code"] == "0" and int(opened["mode"]) == REMOTE, opened
    agent.say("count 9")
    agent.is_allowed(1)
    assert agent.check("tool.ask") == (ALLOW, "", 0), agent.last
    assert agent.check("tool.write") == (DENY, "", 0), agent.last
    rig.next_revision()
    agent.is_allowed(2)
    # Refused only later, with a request in hand.
    agent = rig.agent()
    agent.say("count 9")
    agent.is_allowed(2)
    agent.say("refuse-maps")
    rig.next_revision()
    agent.is_allowed(3)
    assert agent.check("tool.ask") == (ALLOW, "", 0), agent.last
    assert int(agent.last["mode"]) == REMOTE, agent.last
    rig.next_revision()
    agent.is_allowed(4)
    rig.call("Admin", "StopAll")
    assert agent.check() == (DENY, "rev-4", 0), agent.last


class Between:
    """A socket between hosts and licetd that passes packets and descriptors on, as `ask` and `answer` change them."""

    def __init__(self, rig, ask=lambda packet: packet, answer=lambda packet, descriptors: (packet, descriptors)):
        self.rig, self.ask, self.answer, self.path = rig, ask, answer, str(rig.folder / "between")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Wakes accept(2), too.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(client,), daemon=True).start()

    def pass_on(self, client):
        with client, connect(self.rig) as licetd:
            try:
                while True:
                    for ready in select.select([client, licetd], [], [])[0]:
                        packet, descriptors, _, _ = socket.recv_fds(ready, 65536, 8)
                        if not packet:
                            return
                        sent = descriptors
                        try:
                            if ready is client:
                                socket.send_fds(licetd, [self.ask(packet)], descriptors)
                            else:
                                packet, sent = self.answer(packet, list(descriptors))
                                socket.send_fds(client, [packet], sent)
                        finally:
                            for fd in {*descriptors, *sent}:
                                os.close(fd)
            except OSError:
                return


def as_old_as_possible(rig):
    """This library with a licetd that speaks the lowest version alone, and the other way round."""

    def lowest(packet):
        (kind,) = struct.unpack_from("<H", packet)
        return packet[:10] + packet[8:10] + packet[12:] if kind == 1 else packet

    with Between(rig, ask=lowest) as between:
        for mode in BOTH:
            agent = Agent(rig)
            opened = agent.say(f"open {between.path} {mode} 0 1000 0 keeper")
            assert opened["code"] == "0" and int(opened["mode"]) == mode, opened
            agent.say("count 9")
            agent.is_allowed(rig.revision)
            assert agent.check("tool.ask") == (ALLOW, "", 0), agent.last
            rig.next_revision()
            agent.is_allowed(rig.revision)
            rig.call("Admin", "Stop", "s", "keeper")
            assert agent.check()[::2] == (DENY, 0), agent.last
            rig.call("Admin", "Resume", "s", "keeper")
            agent.is_allowed(rig.revision)


def memory_of(content, seals=0xF):
    fd = os.memfd_create("hostile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, 1033, seals)
    return fd


def hostile_licetd(rig):
    """Images that are cut, changed, too large, unsealed or not there, and answers that make no sense: opening fails, a decision
    stays a denial or what it was; nothing crashes, nothing is allowed that the policy doesn't."""
    randomness = random.Random(time.time_ns())
    kinds = ["cut", "flip", "zeros", "empty", "unsealed", "grown", "swapped", "none", "garbage", "short", "pipe"]
    how = {"kind": "none"}

    def image(content):
        kind = how["kind"]
        if kind == "cut":
            content = content[: randomness.randrange(1, len(content))]
        elif kind == "flip":
            content = bytearray(content)
            for _ in range(randomness.randrange(1, 5)):
                content[randomness.randrange(len(content))] ^= 1 << randomness.randrange(8)
        elif kind == "zeros":
            content = bytes(len(content))
        elif kind == "empty":
            content = b""
        elif kind == "grown":
            content += bytes(randomness.randrange(1, 9000))
        return memory_of(bytes(content), 0 if kind == "unsealed" else 0xF)

    def answer(packet, descriptors):
        if len(descriptors) < 2:
            return packet, descriptors
        kind, kept = how["kind"], descriptors[:]
        at = randomness.randrange(len(descriptors) - 2, len(descriptors))
        if kind == "swapped":
            kept[-1], kept[-2] = kept[-2], kept[-1]
        elif kind == "none":
            kept = kept[:at]
        elif kind == "garbage":
            packet = packet[:8] + randomness.randbytes(len(packet) - 8)
        elif kind == "short":
            packet = packet[: randomness.randrange(8, len(packet))]
        elif kind == "pipe":
            kept[at], other = os.pipe()
            os.close(other)
        else:
            kept[at] = image(os.pread(descriptors[at], 1 << 24, 0))
        return packet, kept

    counts = {}
    with Between(rig, answer=answer) as between:
        agent, good = Agent(rig), rig.agent()
        for round_ in range(2000 if IS_SLOW else 300):
            how["kind"] = kinds[round_ % len(kinds)]
            opened = agent.say(f"open {between.path} {SNAPSHOT} 0 200 0 keeper")
            counts[how["kind"], opened["code"]] = counts.get((how["kind"], opened["code"]), 0) + 1
            if opened["code"] == "0":
                # A bit in a text or a place changes no decision that this asks for; then it is still an image. An answer may be
                # cut where an older licetd's ends: no period has ended then.
                assert how["kind"] in ("flip", "garbage", "short") or int(opened["mode"]) == REMOTE, f"{how}: {opened}"
                assert agent.check("tool.write")[0] != ALLOW, f"{how}: {agent.last}"
            good.is_allowed(rig.revision)
        agent.end()
        assert sum(count for (_, code), count in counts.items() if code != "0") > 150, counts
    print("  " + ", ".join(f"{kind} {code}: {count}" for (kind, code), count in sorted(counts.items())))


def old_and_new(rig):
    """An old library with this licetd; $LICET_OLD_LIBRARY is the folder of one (tools/build-library --attach-version 1)."""
    folder = os.environ.get("LICET_OLD_LIBRARY")
    if not folder or not (pathlib.Path(folder) / "liblicet.so.1").exists():
        raise Skipped("LICET_OLD_LIBRARY names no folder with a liblicet.so.1")
    host = rig.folder / "old-host"
    rig.programs.compile(host, folder)
    for mode in BOTH:
        agent = rig.agent(mode, program=host)
        agent.is_allowed(rig.revision)
        rig.next_revision()
        agent.is_allowed(rig.revision)
        rig.call("Admin", "StopAll")
        assert agent.check()[::2] == (DENY, 0), agent.last
        rig.call("Admin", "ResumeAll")
        agent.is_allowed(rig.revision)
    rig.run("fork", rig.socket, program=host)


TESTS = [next_decision_sees_a_reload, stops_and_resumes, unbinding, names_of_operators, only_ones_own_images, descriptors_only_read,
         versions, staleness, mute_remote, clean_end, restart_without_a_store, no_policy, mapping_refused, as_old_as_possible,
         hostile_licetd, old_and_new]
