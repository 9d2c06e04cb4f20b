# --chain: a later exercise with the student's own answers of earlier ones, and whose mistake it is.
set -u
export TPP_LEARN_BUILT=1 NO_COLOR=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TPP_WORK=$folder/work
root=$(cd "$(dirname "$0")/../.." && pwd)
bad=0

expect() {  # expect CODE TEXT COMMAND…: this exit code, and this text in what it says
  local code=$1 text=$2 said got=0
  shift 2
  said=$("$TPP_LEARN" "$@" 2>&1 </dev/null) || got=$?
  if [ "$got" != "$code" ] || ! grep -qF -- "$text" <<<"$said"; then
    printf 'WRONG: %s: exit code %s, wanted %s and "%s"\n%s\n\n' "$*" "$got" "$code" "$text" "$said"
    bad=1
  fi
}
put() {  # put ID WHICH: the reference or a wrong answer
  local file
  file=$TPP_WORK/$(cd "$root" && grep -lxF "id = \"$1\"" chapters/*/exercises/*/exercise.toml | sed 's|chapters/\(.*\)/exercises/\(.*\)/.*|\1/\2|')
  mkdir -p "$(dirname "$file")"
  if grep -q '^kind *= *"cuda"' "$root/chapters/$(basename "$(dirname "$file")")/exercises/$(basename "$file")/exercise.toml"; then
    file=$file.cuh
  else
    file=$file.h
  fi
  "$TPP_LEARN" text "$1" "$2" >"$file"
}

# 15.1 calls attention_head_forward, which is 6.1
put 15.1 reference
put 6.1 reference
expect 0 '--chain is on, with your own 6.1' check 15.1 --chain
put 6.1 no_scale
expect 0 'passed' check 15.1
expect 1 "with the book's 6.1 instead of yours this one passes" check 15.1 --chain
expect 1 '06_attention/one_head.h' check 15.1 --chain
put 15.1 modulo
expect 1 "with your own 6.1; with the book's it does not pass either" check 15.1 --chain
put 15.1 reference
rm "$TPP_WORK/06_attention/one_head.h"
expect 0 'changes nothing here' check 15.1 --chain
"$TPP_LEARN" check 6.1 >/dev/null
expect 3 'your own 6.1 is not written yet' check 15.1 --chain
echo 'int x = ;' >>"$TPP_WORK/06_attention/one_head.h"
expect 4 'your own 6.1' check 15.1 --chain
expect 4 'int x = ;' check 15.1 --chain
expect 0 'passed' check 15.1

# All that need others: with every reference in place, each passes
ids=$(sed -n 's/^id *= *"\(.*\)"$/\1/p' "$root"/chapters/*/exercises/*/exercise.toml)
for id in $ids; do put "$id" reference; done
with=0
for id in $(cd "$root" && grep -l '^needs *= *\[ *"' chapters/*/exercises/*/exercise.toml | xargs sed -n 's/^id *= *"\(.*\)"$/\1/p'); do
  expect 0 'passed' check "$id" --chain
  with=$((with + 1))
done
[ "$with" -ge 8 ] || { echo "WRONG: only $with exercises need others: does this test look at anything?"; bad=1; }
exit "$bad"
