"""The same question to other engines: N rules of two conditions each, of which the last matches.

Each engine gets the policy parsed or compiled as far as its library lets one keep it, and is asked again and again
with the same request. Times contain the call from Python; "empty call" says what that is. Usage:
peers.py LICET-BENCH [PROGRAMS]: with the folder of the program licet also through licet's own binding, if that is installed here.
"""
import importlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SIZES = (1, 1_000, 10_000)
REQUEST = {"count": 100_000, "role": "member"}


def roles(n):
    """The last of n rules names the role that the request has; the others match nobody."""
    return [f"role-{i}" for i in range(n - 1)] + ["member"]


# Loading and asking, a cell: what takes longer is said to.
SECONDS = 20


def median_ns(ask, budget=0.6):
    """Median of the runs that fit into `budget` seconds, at least three."""
    start = time.perf_counter_ns()
    ask()
    once = max(1, time.perf_counter_ns() - start)
    count = max(1, int(0.02e9 / once))
    times, end = [], time.perf_counter_ns() + budget * 1e9
    while len(times) < 3 or time.perf_counter_ns() < end:
        start = time.perf_counter_ns()
        for _ in range(count):
            ask()
        times.append((time.perf_counter_ns() - start) / count)
    return statistics.median(times)


def binding(behaviors, rules):
    """Through the binding, by an image; attributes are set anew each time, as the others are told them anew."""
    module = importlib.import_module("licet")
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "library"))
    policy = importlib.import_module("policy")
    with tempfile.TemporaryDirectory() as folder:
        policy.write(f"{folder}/policy", behaviors, rules)
        image = f"{folder}/image"
        subprocess.run([f"{os.environ['LICET_PROGRAMS']}/licet", "compile", f"{folder}/policy", "-o", image], check=True,
                       stdout=subprocess.DEVNULL)
        request = module.open(image, mode=module.Mode.EMBEDDED, operator="bench").request()
    name = policy.name(behaviors - 1)
    def ask():
        request.set("request.count", REQUEST["count"])
        request.set("user.role", REQUEST["role"])
        return request.check(name)
    assert ask() is module.ALLOW
    return ask


def licet_many(n):
    return binding(max(1, n // 20), min(n, 20))


def licet_one(n):
    return binding(1, n)


def casbin(n):
    module = importlib.import_module("casbin")
    model = module.Model()
    model.load_model_from_text(
        "[request_definition]\nr = count, role\n[policy_definition]\np = count, role\n"
        "[policy_effect]\ne = some(where (p.eft == allow))\n"
        "[matchers]\nm = r.count > number(p.count) && r.role == p.role\n")
    enforcer = module.Enforcer(model)
    enforcer.add_function("number", int)
    enforcer.add_policies([[str(i), role] for i, role in enumerate(roles(n))])
    ask = lambda: enforcer.enforce(REQUEST["count"], REQUEST["role"])
    assert ask() is True
    return ask


def cedar(n):
    module = importlib.import_module("cedarpy")
    text = "\n".join(
        f'permit(principal, action == Action::"use", resource) when '
        f'{{ context.count > {i} && context.role == "{role}" }};' for i, role in enumerate(roles(n)))
    request = {"principal": 'User::"u"', "action": 'Action::"use"', "resource": 'Thing::"t"', "context": REQUEST}
    policies = module.PolicySet.from_str(text)
    ask = lambda: module.is_authorized(request, policies, [])
    assert ask().decision == module.Decision.Allow
    return ask


def rego(n):
    """Conditions of one rule each, as one would write them by hand."""
    lines = "\n".join(
        f'allow if {{ input.count > {i}; input.role == "{role}" }}' for i, role in enumerate(roles(n)))
    return "package bench\nimport rego.v1\ndefault allow := false\n" + lines + "\n"


def regorus(n):
    engine = importlib.import_module("hobofan_regorus").Engine()
    engine.add_policy("bench.rego", rego(n))
    def ask():
        engine.set_input(REQUEST)
        return engine.eval_rule("data.bench.allow")
    assert ask() is True
    return ask


def rego_cpp(n):
    interpreter = importlib.import_module("regopy").Interpreter()
    interpreter.add_module("bench", rego(n))
    def ask():
        interpreter.set_input(REQUEST)
        return interpreter.query("data.bench.allow")
    assert "true" in str(ask())
    return ask


def condition(i, role):
    return f'(count > {i} && role == "{role}")'


def balanced(parts):
    """`a || b || …` as a balanced tree: parsers that recurse get by with it."""
    while len(parts) > 1:
        parts = ["(" + " || ".join(parts[i:i + 2]) + ")" for i in range(0, len(parts), 2)]
    return parts[0]


def rust_cel(n):
    module = importlib.import_module("cel")
    programs = [module.compile(condition(i, role)) for i, role in enumerate(roles(n))]
    def ask():
        for program in programs:
            if program.execute(REQUEST):
                return True
        return False
    assert ask() is True
    return ask


def cpp_cel(n):
    module = importlib.import_module("cel_expr_python.cel")
    env = module.NewEnv(variables={"count": module.Type.INT, "role": module.Type.STRING})
    programs = [env.compile(condition(i, role)) for i, role in enumerate(roles(n))]
    def ask():
        for program in programs:
            if program.eval(data=REQUEST).value():
                return True
        return False
    assert ask() is True
    return ask


PEERS = [
    ("licet from Python, 20 rules a behaviour", licet_many), ("licet from Python, all rules on one behaviour", licet_one),
    ("cedarpy (Cedar, Rust)", cedar), ("casbin (Python)", casbin), ("regorus (Rego, Rust)", regorus), ("regopy (Rego, C++)", rego_cpp),
    ("common-expression-language (CEL, Rust)", rust_cel), ("cel-expr-python (CEL, C++)", cpp_cel),
]


def cell(value):
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def measure(index, n):
    """One cell, in a process of its own: a peer may crash or take for ever."""
    command = [sys.executable, __file__, "--one", str(index), str(n)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"over {SECONDS} s"
    if done.returncode == 0:
        return cell(float(done.stdout))
    lines = done.stderr.strip().splitlines() or ["no message"]
    if "ModuleNotFoundError" in lines[-1] or "LICET_PROGRAMS" in lines[-1]:
        return "not installed"
    print(f"  {PEERS[index][0]}, {n} rules: {lines[-1][:160]}", file=sys.stderr)
    return "refused"


def main():
    if sys.argv[1] == "--one":
        print(median_ns(PEERS[int(sys.argv[2])][1](int(sys.argv[3]))))
        return
    if len(sys.argv) > 2:
        os.environ["LICET_PROGRAMS"] = sys.argv[2]
    licet = json.loads(subprocess.run([sys.argv[1], "peers"], check=True, capture_output=True).stdout)
    print("one question, N rules of which the last matches; ns" + "".join(f"{n:>14,}" for n in SIZES))
    print(f"{'licet from Swift, all N rules on one behaviour':<51}" + "".join(f"{cell(v):>14}" for v in licet["one"]))
    print(f"{'licet from Swift, 20 rules a behaviour':<51}" + "".join(f"{cell(v):>14}" for v in licet["many"]))
    print(f"{'(an empty call from Python)':<51}{cell(median_ns(lambda: None)):>14}")
    for index, (name, _) in enumerate(PEERS):
        cells = [measure(index, n) for n in SIZES]
        print(f"{name:<51}" + "".join(f"{c:>14}" for c in cells), flush=True)


main()
