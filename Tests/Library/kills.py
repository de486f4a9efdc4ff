"""kill -9 at any instant, of licetd and of its clients: nobody hangs, crashes, or decides by what was not in force."""

from rig import *

ROUNDS = 1000 if IS_SLOW else 100


def killed_daemons(rig):
    """licetd killed and started again, at random instants of reloads, while clients decide. A mapped client may decide by the
    revision before for as long as `stale_after` says, a remote one not at all."""
    randomness, floor = random.Random(time.time_ns()), Floor(rig)
    stale, slack = 400, 150
    clients = [rig.ready(rig.host("steady", rig.socket, floor.path, mode, stale, bound))
               for mode, bound in ((SNAPSHOT, stale + slack), (SNAPSHOT, stale + slack), (REMOTE, 0))]
    confirmed = 0
    for round_ in range(ROUNDS):
        for _ in range(randomness.randrange(1, 3)):
            floor.announce(rig.revision + 1)
            rig.put_keeper(rig.revision + 1)
            if randomness.random() < 0.5 and rig.reload(quiet=True):
                floor.confirm(rig.revision)
                confirmed += 1
        time.sleep(randomness.random() * 0.02)
        rig.kill_daemon()
        if randomness.random() < 0.1:
            time.sleep(randomness.random() * 0.6)
        rig.start_daemon(isAwaited=randomness.random() < 0.7)
        if any(client.poll() is not None for client in clients):
            break
    rig.wait_for(lambda: rig.reload(quiet=True), "licetd serves")
    floor.confirm(rig.revision)
    time.sleep((stale + slack) / 1000 + 1.2)
    found = ended(rig, floor, clients)
    for one in found:
        # Two time-outs at most: the lock's, and the answer's.
        assert one["changes"] > 10 and one["decided"] > 500 and one["longest-ms"] < 4500, one
    print(f"  {ROUNDS} kills, {confirmed} confirmed reloads, the longest decision {max(one['longest-ms'] for one in found)} ms, "
          f"lost {[one['lost'] for one in found]} of {[one['decided'] for one in found]}")


def ended(rig, floor, clients):
    """What clients that saw nothing wrong have counted; the others say what it was."""
    floor.end()
    found = [numbers(rig.end(client, None)) for client in clients]
    for one in found:
        assert one["last"] == rig.revision, f"{one}, wanted rev-{rig.revision}"
    return found


def reloads_under_load(rig):
    """No kill: a confirmed reload is what the very next decision goes by, in every client, mapped or not."""
    floor = Floor(rig)
    seconds = 60 if IS_SLOW else 3
    clients = [rig.ready(rig.host("steady", rig.socket, floor.path, mode, 30_000, 0))
               for mode in (SNAPSHOT, SNAPSHOT, SNAPSHOT, REMOTE)]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        floor.announce(rig.revision + 1)
        rig.next_revision()
        floor.confirm(rig.revision)
    time.sleep(0.05)
    found = ended(rig, floor, clients)
    for one in found:
        assert one["lost"] == 0 and one["changes"] > 5 and one["decided"] > 500, one
    print(f"  {rig.revision - 1} reloads, the longest decision {max(one['longest-ms'] for one in found)} ms")


def killed_clients(rig):
    """Clients killed at random instants of attaching and asking: licetd's descriptors come back, and its memory."""
    randomness = random.Random(time.time_ns())

    def some(count):
        for _ in range(count):
            hosts = [rig.start([rig.programs.host, "endless", rig.socket, mode]) for mode in (SNAPSHOT, REMOTE, SNAPSHOT)]
            time.sleep(randomness.random() * 0.03)
            if randomness.random() < 0.1:
                rig.next_revision()
            for host in hosts:
                host.kill()
                status = host.wait()
                rig.processes.remove(host)
                assert status == -signal.SIGKILL, f"a client ended by itself, with {status}"

    some(30)
    time.sleep(0.3)
    before, resident = rig.descriptors(), rig.resident()
    some(ROUNDS)
    rig.wait_for(lambda: rig.descriptors() <= before, f"descriptors: {before} before, {rig.descriptors()} now")
    assert rig.resident() <= resident + 4096, f"licetd grew from {resident} to {rig.resident()} KiB"
    rig.agent().is_allowed(rig.revision)
    print(f"  {3 * ROUNDS} clients; licetd: descriptors {before} and {rig.descriptors()}, resident {resident} and {rig.resident()} KiB")


TESTS = [reloads_under_load, killed_clients, killed_daemons]
