#!/usr/bin/env bash
# The tables that a GPU's results become: a result that was cut short is written into a copy of the marked files.
#
#   gpu_tables.sh PROGRAM          compares with tests/bench/expected
#   gpu_tables.sh PROGRAM --keep   replaces what is expected: after a change that one has looked at
set -uo pipefail
program=$1 here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$here/../..
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAILED: $*"; failed=1; }

# Only what stands between the marks is compared, so that texts may change
cd "$root" || exit 1
mkdir -p "$work/assets/pictures" "$work/bench"
for file in bench/README.md chapters/[0-9]*/README.md; do
  mkdir -p "$work/$(dirname "$file")"
  cp "$root/$file" "$work/$file"
done
"$program" --from "$here/partial.json" --peers "$here/peers.json" --curves "$here/curves" --into "$work" --write >/dev/null 2>&1
[ $? = 1 ] || fail "a result in which a case failed must end with 1"
tables() { sed -n '/^<!-- table '"$2"' -->$/,/^<!-- \/table -->$/p' "$work/$1"; }

compare() {  # compare NAME: stdin with what is expected
  local expected=$here/expected/$1
  if [ "${keep:-}" = yes ]; then cat >"$expected"; return; fi
  diff -u "$expected" - || fail "$1 is not what tests/bench/expected has"
}
[ "${2:-}" = --keep ] && keep=yes && mkdir -p "$here/expected"
tables chapters/12_rmsnorm/README.md gpu | compare rmsnorm.md
tables chapters/01_tensor/README.md gpu | compare matmul.md
tables bench/README.md gpu-training | compare training.md
tables chapters/11_gpt/README.md curves | compare curves.md
compare precision.svg <"$work/assets/pictures/precision.svg"

# Every chapter with a twin has its table, with the machine and the date, and says what was not measured
for chapter in 01 04 05 06 07 08 09 10 12 13 14 15; do
  table=$(cat "$work"/chapters/$chapter*/README.md | sed -n '/^<!-- table gpu -->$/,/^<!-- \/table -->$/p')
  grep -q '^A machine, 2 multiprocessors; nvcc 1.2; 2000-01-02' <<<"$table" || fail "chapter $chapter has no table of this machine"
  [ "$chapter" = 12 ] || grep -q 'not measured' <<<"$table" || fail "chapter $chapter does not say what was not measured"
done
[ "$(cd "$work" && tables bench/README.md gpu | grep -c '| not measured |')" -gt 10 ] || fail "the targets' table hides what was not measured"

# A file without marks is refused by name
sed -i '/table gpu/d' "$work/chapters/14_swiglu/README.md"
message=$("$program" --from "$here/partial.json" --into "$work" --write 2>&1 >/dev/null) && fail "a README without marks passes"
[[ $message == *14_swiglu/README.md* ]] || fail "it does not say which file lacks the marks: $message"
exit $failed
