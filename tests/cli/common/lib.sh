# What the command-line tests share: a folder of their own, a small model, and checks that say what they saw.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
checks=0

# A model that trains 20 steps in a moment
small=(--layers 1 --width 16 --heads 2 --length 32 --batch 4 --warmup 5 --text text.txt --threads 2)
for i in $(seq 1 400); do printf 'The %d cats sat on the mat and saw %d birds. ' "$i" $((i * 7919 % 1000)); done >text.txt

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  [ ! -s output ] || { echo "--- output"; cat output; } >&2
  exit 1
}

# refused SENTENCE COMMAND…: exit code 2, one short message that has the sentence, nothing on standard output
refused() {
  local sentence=$1 code=0
  shift
  "$@" >output.out 2>output </dev/null || code=$?
  [ "$code" = 2 ] || fail "exit code $code instead of 2 from: $*"
  grep -qF -- "$sentence" output || fail "no \"$sentence\" from: $*"
  [ "$(wc -l <output)" -le 3 ] || fail "more than a sentence from: $*"
  checks=$((checks + 1))
}

# succeeds COMMAND…: exit code 0; what it printed is in output.out and output
succeeds() {
  "$@" >output.out 2>output </dev/null || fail "exit code $? from: $*"
  checks=$((checks + 1))
}

same_file() {
  cmp -s "$1" "$2" || fail "$1 and $2 differ"
  checks=$((checks + 1))
}

finish() {
  [ "$checks" -ge "$1" ] || fail "only $checks checks ran, expected $1"
  echo "$checks checks"
}
