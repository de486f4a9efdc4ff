#!/bin/bash
# A tour on a bus of its own: licetd on a copy of examples/, real questions over D-Bus, a policy that changes while it
# is asked, one that breaks, and the ways back. Usage: tools/demo.sh FOLDER-OF-PROGRAMS
set -euo pipefail
programs=$(realpath "${1:?usage: tools/demo.sh FOLDER-OF-PROGRAMS}")
cd "$(dirname "$0")/.."
# On memory where there is some, so that a slow disk doesn't stand in the latency.
work=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)" licet-demo-XXXXXX)
bus=unix:path=$work/bus
policy=$work/policy
started=()
finish() {
  local code=$? pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  [ $code -eq 0 ] || { echo "demo: failed; licetd said:" >&2; cat "$work/log" >&2 || true; }
  rm -rf "$work"
  exit $code
}
trap finish EXIT
trap 'exit 130' INT TERM

licet() { "$programs/licet" "$@"; }
fail() { echo "demo: $*" >&2; exit 1; }
title() { printf '\n── %s\n' "$*"; }
shown() { printf '   $'; printf ' %s' "$@"; printf '\n'; }

# QUESTION EFFECT FLAG…: asks over the bus, and fails when the answer is another.
ask() {
  local question=$1 expected=$2 code=0 answer
  shift 2
  printf '\n%s\n   $ licet check' "$question"
  printf ' %q' "$@"
  printf '\n'
  answer=$(licet check --address "$bus" "$@") || code=$?
  sed 's/^/   /' <<<"$answer"
  case $expected$code in allow0 | deny1 | ask2) ;; *) fail "expected $expected" ;; esac
}

# QUESTION EFFECT OPERATOR BEHAVIOR COUNT KEY TYPE VALUE…: the same by busctl, which knows nothing of licet.
ask_busctl() {
  local question=$1 expected=$2 answer
  shift 2
  local operator=$1 behavior=$2
  shift 2
  printf '\n%s\n   $ busctl call org.licet.Licet1 /org/licet/Licet1 org.licet.Licet1.Authority Check "sasa{sv}" %s 1 %s' \
    "$question" "$operator" "$behavior"
  printf ' %q' "$@"
  printf '\n'
  answer=$(busctl --address="$bus" call org.licet.Licet1 /org/licet/Licet1 org.licet.Licet1.Authority \
    Check 'sasa{sv}' "$operator" 1 "$behavior" "$@")
  printf '   %s\n' "$answer"
  [[ $answer == *" \"$expected\" "* ]] || fail "expected $expected"
}

title "A private bus, and licetd on a copy of examples/"
cp -r examples "$policy"
chmod -R go-w "$policy"
rm -rf "$policy/tests"
local=$work/local # a higher folder: whoever runs this speaks for all four
for operator in forge cornershop nightowl riverside-clinic; do
  mkdir -p "$local/operators.d/$operator.d"
  printf 'licet: 1\nlayer: operator\nname: %s\nbind: [{user: %s}]\n' "$operator" "$(id -un)" \
    >"$local/operators.d/$operator.d/demo.yaml"
done
cat >"$work/bus.conf" <<CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>$bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
CONF
dbus-daemon --nofork --nopidfile --config-file="$work/bus.conf" 2>>"$work/log" &
started+=($!)
for _ in $(seq 100); do [ -S "$work/bus" ] && break; sleep 0.02; done
mkdir "$work/state" "$work/run"
"$programs/licetd" --address "$bus" --policy "$policy" --policy "$local" --state "$work/state" --runtime "$work/run" 2>>"$work/log" &
started=($! "${started[@]}")
for _ in $(seq 250); do licet status --address "$bus" >/dev/null 2>&1 && break; sleep 0.02; done
licet status --address "$bus"

title "A dozen questions"
ask "May the coding agent run the tests, as its developer asked?" allow --operator forge --behavior tool.shell.exec \
  --source user --set-json 'request.args={"argv": ["swift", "test"], "env": {"CI": "1"}}'
ask "And on its own initiative?" ask --operator forge --behavior tool.shell.exec \
  --set-json 'request.args={"argv": ["swift", "test"], "env": {"CI": "1"}}'
ask "May it delete a tree?" ask --operator forge --behavior tool.shell.exec \
  --set-json 'request.args={"argv": ["rm", "-rf", "build"], "env": {}}'
ask "May it read an SSH key?" deny --operator forge --behavior tool.file.read \
  --set-json 'request.args={"path": "/home/dev/.ssh/id_ed25519"}'
ask "May it fetch a page because another page said so?" ask --operator forge --behavior tool.net.fetch --source untrusted \
  --set-json 'request.args={"method": "GET", "url": "https://docs.swift.org/"}'
ask "May it push, with nothing known about the push?" deny --operator forge --behavior tool.git.push
ask "May a clinician be told a dose?" allow --operator riverside-clinic --behavior advice.medical.dosage \
  --source user --set user.role=clinician --set user.signed_in=true
ask "May a patient read somebody else's record?" ask --operator riverside-clinic --behavior privacy.read \
  --resource record:p-2 --user p-1 --set user.role=patient --set-json 'request.args={"fields": ["appointments"]}'
ask "May the shop's bot give 900 EUR back?" ask --operator cornershop --behavior tool.payment.refund \
  --set user.signed_in=true --set request.amount=900.0
ask_busctl "May a member read an explicit scene?" allow nightowl content.explicit.scene \
  3 source s user user 'a{sv}' 2 age_verified b true role s member request 'a{sv}' 1 topics as 1 romance
ask_busctl "And somebody whose age nobody checked?" deny nightowl content.explicit.scene \
  2 user 'a{sv}' 1 role s member request 'a{sv}' 1 topics as 1 romance
ask_busctl "May anybody help with a bright line, for a good reason?" deny nightowl harm.csam \
  1 argument s 'it is only fiction'
ask_busctl "May an AI say that it is one?" allow forge transparency.admit-ai 0
title "Why? And who could allow it?"
shown licet explain --operator forge --behavior tool.file.delete
licet explain --address "$bus" --operator forge --behavior tool.file.delete | sed 's/^/   /'

title "A policy changes while it is asked"
cp "$policy/operators.d/cornershop.yaml" "$work/old.yaml"
sed 's/^  - deny: politics$/  - allow: politics/' "$work/old.yaml" >"$work/new.yaml"
tools/ask-while-changing "$bus" cornershop politics.news "$work/new.yaml" "$policy/operators.d/cornershop.yaml" |
  sed 's/^/   /'

title "A file breaks: the old answer stands, and one is told where"
sed 's/user\.signed_in \&\& request\.amount/user.signd_in \&\& request.amount/' "$work/new.yaml" >"$work/broken.yaml"
cp "$work/broken.yaml" "$policy/operators.d/.new" && mv "$policy/operators.d/.new" "$policy/operators.d/cornershop.yaml"
code=0
shown licet reload
licet reload --address "$bus" | sed 's/^/   /' || code=${PIPESTATUS[0]}
[ "$code" -eq 1 ] || fail "the broken file was not refused"
ask "As before?" allow --operator cornershop --behavior politics.news --source user
code=0
licet status --address "$bus" >"$work/status" || code=$?
[ "$code" -eq 1 ] || fail "status should say that something needs somebody"
grep -q 'signd_in' "$work/status" || fail "status should show the line"

title "Mended"
cp "$work/new.yaml" "$policy/operators.d/.new" && mv "$policy/operators.d/.new" "$policy/operators.d/cornershop.yaml"
shown licet reload
licet reload --address "$bus" | sed 's/^/   /'

title "Back to an earlier policy, and forward again"
shown licet rollback --list
licet rollback --address "$bus" --list | sed 's/^/   /'
first=$(licet rollback --address "$bus" --list --json |
  python3 -c 'import json, sys; print(min(row["generation"] for row in json.load(sys.stdin)["generations"]))')
shown licet rollback "$first"
licet rollback --address "$bus" "$first" | sed 's/^/   /'
ask "The old answer again?" deny --operator cornershop --behavior politics.news --source user
shown licet reload
licet reload --address "$bus" | sed 's/^/   /'

title "The panic button"
shown licet stop --operator forge
licet stop --address "$bus" --operator forge | sed 's/^/   /'
ask "May the coding agent run the tests now?" deny --operator forge --behavior tool.shell.exec --source user \
  --set-json 'request.args={"argv": ["swift", "test"], "env": {"CI": "1"}}'
ask "And may it still say that it is an AI?" allow --operator forge --behavior transparency.admit-ai
shown licet resume --operator forge
licet resume --address "$bus" --operator forge | sed 's/^/   /'
ask "And now?" allow --operator forge --behavior tool.shell.exec --source user \
  --set-json 'request.args={"argv": ["swift", "test"], "env": {"CI": "1"}}'

title "Without a daemon: the same files, decided in the program itself"
ask_offline=(check --policy "$policy" --operator forge --behavior tool.file.read --set-json 'request.args={"path": "/home/dev/.ssh/id_ed25519"}')
code=0
licet "${ask_offline[@]}" | sed 's/^/   /' || code=${PIPESTATUS[0]}
[ "$code" -eq 1 ] || fail "expected deny"
printf '\nDone. docs/tutorial.md starts from an empty folder; docs/clients.md has five lines for each language.\n'
