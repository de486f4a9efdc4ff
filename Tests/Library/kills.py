"""kill -9 at any instant, of licetd and of its clients: nobody hangs, crashes, or decides by what was not in force."""

from rig import *

ROUNDS = 1000 if IS_SLOW else 100


def killed_daemons(rig):
    """licetd killed and started again, at random instants of reloads, while clients decide. A mapped client may decide by the
    revision before for as long as `stale_after` says, a remote one not at all."""
    randomness, floor = random.Random(time.time_ns()), Floor(rig)
    stale, slack = 400, 150
    seconds = 3600
    clients = [rig.ready(rig.host("steady", rig.socket, floor.path, mode, stale, bound, seconds * 1000))
               for mode, bound in ((SNAPSHOT, stale + slack), (SNAPSHOT, stale + slack), (REMOTE, 0))]
    confirmed = 0
    for round_ in range(ROUNDS):
        for _ in range(randomness.randrange(1, 3)):
            floor.announce(rig.revision + 1)
            rig.put_keeper(rig.revision + 1)
            if randomness.random() < 0.5:
                rig.reload()
                floor.confirm(rig.revision)
                confirmed += 1
        time.sleep(randomness.random() * 0.02)
        rig.kill_daemon()
        if randomness.random() < 0.1:
            time.sleep(randomness.random() * 0.6)
        rig.start_daemon(isAwaited=randomness.random() < 0.7)
        if any(client.poll() is not None for client in clients):
            break
    rig.wait_for(lambda: rig.call("Admin", "Reload", quiet=True) is not None, "licetd serves")
    floor.confirm(rig.revision)
    time.sleep((stale + slack) / 1000 + 1.2)
    stop(rig, clients, f"{ROUNDS} kills, {confirmed} confirmed reloads")


def stop(rig, clients, what):
    """Clients that are still there have seen nothing wrong; the others say what."""
    for client in clients:
        if client.poll() is None:
            client.kill()
            client.wait()
        else:
            output, errors = client.communicate()
            raise AssertionError(f"{what}: a client ended with {client.returncode}: {output}{errors}")
    print(f"  {what}: {len(clients)} clients saw nothing wrong")


def reloads_under_load(rig):
    """No kill: a confirmed reload is what the very next decision goes by, in every client, mapped or not."""
    floor = Floor(rig)
    seconds = 60 if IS_SLOW else 4
    clients = [rig.ready(rig.host("steady", rig.socket, floor.path, mode, 30_000, 0, seconds * 1000))
               for mode in (SNAPSHOT, SNAPSHOT, SNAPSHOT, REMOTE)]
    end = time.monotonic() + seconds - 1
    while time.monotonic() < end:
        floor.announce(rig.revision + 1)
        rig.next_revision()
        floor.confirm(rig.revision)
    for client in clients:
        found = numbers(rig.end(client, None))
        assert found["lost"] == 0 and found["last"] == rig.revision, f"{found}, wanted rev-{rig.revision}"
        assert found["changes"] > 5 and found["decided"] > 500, found
    print(f"  {rig.revision - 1} reloads, the longest decision {found['longest-ms']} ms")


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
