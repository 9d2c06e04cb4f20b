#!/usr/bin/env bash
# The experiments' program: valid results with the expected cases, an interrupted run that goes on, a NaN that is a result,
# and mistakes that are explained.
#
#   experiments_test.sh PROGRAM
set -uo pipefail
program=$1 failed=0
TPP_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) && export TPP_ROOT  # a build may lie elsewhere
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; failed=1; }
small=(--set layers=1 --set length=16 --set batch=2)
gates() { "$program" 14 "${small[@]}" "$@" >"$work/log" 2>&1; }

# Three steps of one experiment: every case, with finite losses, a table and a plot
gates --steps 3 --seeds 2 --only relu --only swiglu --out "$work/a" || fail "a small run: $(tail -n 3 "$work/log")"
python3 - "$work/a/14_gated_units.json" <<'END' || fail "the result of a small run"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["name"] == "14_gated_units" and d["question"] and d["device"] and d["date"]
assert "--steps 3" in d["command"], d["command"]
assert sorted(d["runs"]) == ["relu/1", "relu/2", "swiglu/1", "swiglu/2"], sorted(d["runs"])
for case in "relu", "swiglu":
    v = d["values"][case]
    assert len(v["validation"]["seeds"]) == 2 and v["steps"] == 3
    mean = sum(d["runs"][f"{case}/{s}"]["validation"] for s in (1, 2)) / 2
    assert abs(v["validation"]["mean"] - mean) < 1e-4 and 1 < mean < 10, mean
    assert v["nan"]["count"] == 0
# Differences are seed by seed, and the parameters are equal
pairs = [d["runs"][f"swiglu/{s}"]["validation"] - d["runs"][f"relu/{s}"]["validation"] for s in (1, 2)]
assert abs(d["values"]["swiglu"]["difference"]["mean"] - sum(pairs) / 2) < 1e-4
assert d["values"]["relu"]["parameters"] == d["values"]["swiglu"]["parameters"]
assert [r[0] for r in d["tables"]["main"]["rows"]] == ["ReLU", "SwiGLU"]
assert all(len(r) == len(d["tables"]["main"]["columns"]) for r in d["tables"]["main"]["rows"])
assert [s["label"] for s in d["plots"]["main"]["series"]] == ["ReLU", "SwiGLU"]
assert d["plots"]["main"]["series"][0]["x"] == [1, 2, 3]
END

# What is there is kept, what is missing is done
gates --steps 3 --seeds 2 --only relu --only swiglu --only geglu --out "$work/a" || fail "a run that goes on"
grep -q "^4 results are there already" "$work/log" || fail "four results were not kept"
[ "$(grep -c ': validation' "$work/log")" = 2 ] || fail "not just the two missing runs were done"
gates --steps 3 --seeds 1 --set lr=0.001 --only relu --out "$work/a"
grep -q "relu/1: validation" "$work/log" || fail "another learning rate must be measured anew"

# A run that was stopped goes on
"$program" 14 "${small[@]}" --steps 600 --seeds 8 --only relu --jobs 1 --out "$work/b" >"$work/log" 2>&1 &
running=$!
for _ in $(seq 2400); do grep -q 'relu/1: validation' "$work/log" && break; sleep 0.05; done
kill -INT "$running"
wait "$running"
[ $? = 130 ] || fail "an interrupted run must end with 130"
python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); assert 1 <= len(d["runs"]) < 8' "$work/b/14_gated_units.json" ||
  fail "an interrupted run left no valid result"
gates --steps 600 --seeds 8 --only relu --out "$work/b" || fail "going on after an interruption"
grep -q "results are there already" "$work/log" || fail "nothing was kept after an interruption"
python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); assert len(d["runs"]) == 8' "$work/b/14_gated_units.json" ||
  fail "after going on, all eight seeds"

# NaN is a result, with the step at which it came
"$program" 09 "${small[@]}" --steps 20 --seeds 1 --set optimizer=sgd --set clip=0 --set lr=1e9 --set warmup=0 --only relu \
  --out "$work/c" >"$work/log" 2>&1 || fail "a NaN must not fail the run: $(tail -n 3 "$work/log")"
grep -q "became NaN or infinite at step" "$work/log" || fail "the NaN was not told"
python3 - "$work/c/09_activations.json" <<'END' || fail "the result of a NaN"
import json, sys
d = json.load(open(sys.argv[1]))
v = d["values"]["relu"]
assert v["validation"]["mean"] is None and v["nan"]["count"] == 1 and 1 <= v["nan"]["step"] <= 20, v
assert d["tables"]["main"]["rows"][0][2] == "NaN at step %d" % v["nan"]["step"], d["tables"]["main"]
END

# Mistakes are explained, with exit 2, and nothing is written
said() {  # said CODE TEXT ARGUMENTS…
  local code=$1 text=$2 got
  shift 2
  "$program" "$@" >"$work/log" 2>&1
  got=$?
  [ $got = "$code" ] || fail "$*: exit $got, not $code"
  grep -qF -- "$text" "$work/log" || fail "$*: must say '$text', says: $(head -n 2 "$work/log")"
}
said 2 "There are: 03_objectives, 03_vocabulary" nonsense
said 2 "There are: relu" 14 --only nonsense
said 2 "there is no option --nonsense" 14 --set nonsense=1
said 2 "wants NAME=VALUE" 14 --set lr
said 2 "heads do not divide" 14 --set heads=7 --only relu --out "$work/d"
said 0 "07_positions: " --list
said 0 "Examples" --help
[ ! -e "$work/d" ] || fail "something was written before a mistake was told"
exit $failed
