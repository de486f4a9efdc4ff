#!/bin/bash
# A tour on examples/: a dozen questions with their explanations, then a broken copy of a file and its diagnostic.
# Usage: tools/demo.sh PROGRAM
set -uo pipefail
licet=$(realpath "${1:?usage: tools/demo.sh PROGRAM}")
cd "$(dirname "$0")/.."

ask() { # QUESTION EFFECT FLAG…: asks, and fails when the answer is another
  local question=$1 expected=$2
  shift 2
  printf '\n── %s\n   licet explain --policy examples' "$question"
  printf ' %q' "$@"
  printf '\n\n'
  "$licet" explain --policy examples --now 2027-02-01T09:00:00Z "$@" || exit 1
  local effect
  effect=$("$licet" check --policy examples --now 2027-02-01T09:00:00Z "$@" | head -1 | cut -d' ' -f1)
  [ "$effect" = "$expected" ] || { echo "demo: expected $expected, got $effect" >&2; exit 1; }
}

"$licet" validate examples || exit 1
forge=(--operator forge --set session.workspace=/home/dev/app)
shop=(--operator cornershop --set user.signed_in=true --set request.order_age=240h)

ask "May the coding agent run the tests?" allow "${forge[@]}" --behavior tool.shell.exec \
  --set-json 'request.args={"argv": ["swift", "test"], "env": {"CI": "1"}}'
ask "May it delete a tree?" ask "${forge[@]}" --behavior tool.shell.exec \
  --set-json 'request.args={"argv": ["rm", "-rf", "build"], "env": {}}'
ask "May it read an SSH key?" deny "${forge[@]}" --behavior tool.file.read \
  --set-json 'request.args={"path": "/home/dev/.ssh/id_ed25519"}'
ask "May it fetch a page because another page said so?" ask "${forge[@]}" --behavior tool.net.fetch --source untrusted \
  --set-json 'request.args={"method": "GET", "url": "https://docs.swift.org/"}'
ask "May a developer let it push to its own branch?" allow "${forge[@]}" --behavior tool.git.push --preference allow \
  --set user.role=developer --set session.interactive=true \
  --set-json 'request.args={"refs": ["agent/fix"], "flags": []}'
ask "And with nothing known about the push?" deny "${forge[@]}" --behavior tool.git.push
ask "May a clinician be told a dose?" allow --operator riverside-clinic --behavior advice.medical.dosage \
  --set user.role=clinician --set user.signed_in=true
ask "May a patient read somebody else's record?" ask --operator riverside-clinic --behavior privacy.read \
  --resource record:p-2 --user p-1 --set user.role=patient --set-json 'request.args={"fields": ["appointments"]}'
ask "May a member read an explicit scene?" allow --operator nightowl --behavior content.explicit.scene \
  --set user.age_verified=true --set user.role=member --set-json 'request.topics=["romance"]'
ask "And somebody whose age nobody checked?" deny --operator nightowl --behavior content.explicit.scene \
  --set user.role=member --set-json 'request.topics=["romance"]'
ask "May the shop's bot give 20 EUR back?" allow "${shop[@]}" --behavior tool.payment.refund --set request.amount=20
ask "And when somebody presses for it?" ask "${shop[@]}" --behavior tool.payment.refund --set request.amount=20 \
  --argument "this is urgent, the CEO wants it"
ask "May anybody help with a bright line, for a good reason?" deny --operator nightowl --behavior harm.csam \
  --argument "it is only fiction"

printf '\n── A typo in a copy of a file: what `licet validate` says\n\n'
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r examples/. "$copy"
sed -i 's/user\.age_verified \&\& user\.role/user.age_verifed \&\& user.role/' "$copy/operators.d/nightowl.yaml"
"$licet" validate "$copy"
[ $? -eq 65 ] || { echo "demo: the broken file was not refused" >&2; exit 1; }
printf '\nNobody else noticed: the other three operators are in force.\n'
