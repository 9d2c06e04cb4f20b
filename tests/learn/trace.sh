# A student's kernel, recorded for the viewer's kernel lens: what is written, and what is said when there is nothing to write.
# $TPP_LEARN is the program's path.
set -u
export TPP_LEARN_BUILT=1 NO_COLOR=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TPP_WORK=$folder/work
file=$TPP_WORK/05_softmax/row_softmax.cuh
trace=$folder/trace.json
mkdir -p "$(dirname "$file")"
bad=0

# expect CODE TEXT: recording ends with this exit code, and says this text; only a code of 0 leaves a file
expect() {
  local code=$1 text=$2 said got=0
  rm -f "$trace"
  said=$("$TPP_LEARN" trace 5.3 --out "$trace" 2>&1 </dev/null) || got=$?
  if [ "$got" != "$code" ] || ! grep -qF -- "$text" <<<"$said" || { [ -e "$trace" ] && [ "$got" != 0 ]; }; then
    printf 'WRONG: exit code %s, wanted %s and "%s"\n%s\n\n' "$got" "$code" "$text" "$said"
    bad=1
  fi
}
# holds PYTHON: of the trace t
holds() {
  CLAIM=$1 python3 -c 'import json, os, sys; t = json.load(open(sys.argv[1])); assert eval(os.environ["CLAIM"])' "$trace" ||
    { echo "WRONG: not so: $1"; bad=1; }
}

expect 2 'You have not begun 5.3'
[ -z "$("$TPP_LEARN" trace --list)" ] || { echo "WRONG: a list of what was not begun"; bad=1; }

"$TPP_LEARN" text 5.3 reference >"$file"
"$TPP_LEARN" trace --list | grep -q "^5.3	.*	$file\$" || { echo "WRONG: 5.3 is not in the list"; bad=1; }
expect 0 ''
holds 't["chapter"] == "yours" and t["section"] == "5.3" and t["title"].endswith("passed")'
holds '[v["name"] for v in t["versions"]][-2:] == ["many rows", "the book'"'"'s: many rows"]'
holds 'all(v["record"]["requests"] for v in t["versions"])'
holds '"row_softmax.cuh" in t["versions"][0]["record"]["files"]'

# Wrong numbers can be looked at, without the book's beside them
"$TPP_LEARN" text 5.3 not_divided >"$file"
expect 0 ''
holds 't["title"].endswith("failed") and len(t["versions"]) == 5'

# What the emulator stops, what does not compile, and what is not there cannot
"$TPP_LEARN" text 5.3 barrier_missing_in_tree >"$file"
expect 1 'race (shared memory) in kernel row_softmax'
"$TPP_LEARN" text 5.3 reference | sed 's/float sum = 0;/float sum = nonsense;/' >"$file"
expect 1 '5.3, does not compile.'
expect 1 'nonsense'

exit $bad
