# The student's program as a student meets it: exit codes, messages, odd files, odd folders. $TPP_LEARN is its path.
set -u
export TPP_LEARN_BUILT=1 NO_COLOR=1 TPP_LEARN_SECONDS=2
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
export TPP_WORK=$folder/work
file=$TPP_WORK/12_rmsnorm/forward.h
bad=0

# expect CODE TEXT COMMAND…: this exit code, and this text in what it says
expect() {
  local code=$1 text=$2 said got=0
  shift 2
  said=$("$TPP_LEARN" "$@" 2>&1 </dev/null) || got=$?
  if [ "$got" != "$code" ] || ! grep -qF -- "$text" <<<"$said"; then
    printf 'WRONG: %s: exit code %s, wanted %s and "%s"\n%s\n\n' "$*" "$got" "$code" "$text" "$said"
    bad=1
  fi
}

# put CODE: this stands where the hole was
put() {
  rm -f "$file"
  "$TPP_LEARN" check 12.1 >/dev/null 2>&1
  CODE=$1 perl -0pi -e 's/NOT_WRITTEN\("row"\);/$ENV{CODE}/' "$file"
}
right='rstd[n] = 1 / std::sqrt(x.row(n).squaredNorm() / x.cols() + T(cfg.eps)); y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);'

expect 3 'not written yet' check 12.1
expect 3 'the hole "row"' check 12.1
put "$right"
expect 0 'passed: 9 comparisons' check 12.1
expect 0 '1/' list
put 'y.row(n) = x.row(n);'
expect 1 'at (1, 0) expected 1, yours 2; 4 of 8 numbers are wrong (50 %)' check 12.1
put 'y.row(n) = x.row(n)'
expect 4 'line 23: expected ' check 12.1
put 'y.row(n) = "text";'
expect 4 'line 23: ' check 12.1
put 'y.row(n) = x.row(n) - x.row(n).mean();'
expect 4 "(operand types are ‘matrix’ and ‘number’)" check 12.1   # and not what Eigen calls them
expect 4 'm.array() - 1' check 12.1
put 'if (n == 0) {'
expect 4 'a } is missing' check 12.1
put 'for (volatile int i = 0;; ++i) {}'
expect 6 'endless loop' check 12.1
expect 6 'at line 23' check 12.1
put 'y.data()[1000000000] = 1;'
expect 5 'touched memory' check 12.1
expect 5 'at line 23' check 12.1
put 'std::exit(0);'
expect 5 'ended the program' check 12.1
put 'std::exit(1);'
expect 5 'ended the program' check 12.1
put 'y(0, 99) = 1;'
expect 1 'an index outside of the matrix' check 12.1
expect 1 '23 |     y(0, 99) = 1;' check 12.1   # with the student's line
put 'y.row(n) = x.row(n) * w;'
expect 1 'cwiseProduct' check 12.1
expect 1 'at line 23' check 12.1
put 'const std::vector<double> v(3); y(0, 0) = v[std::size_t(n) + 7];'
expect 1 'an index past the end of a std::vector' check 12.1
expect 1 'at line 23' check 12.1
put 'const std::vector<double> v(3); y(0, 0) = v.at(7);'
expect 1 'at line 23' check 12.1
put 'volatile int none = 0; rstd[n] = T(5 / none);'
expect 5 'divided by zero' check 12.1
expect 5 'at line 23' check 12.1
put 'std::abort();'
expect 5 'it called abort()' check 12.1
put 'double* two = new double[2]; for (int i = 0; i < 20; ++i) two[i] = 1; delete[] two;'
expect 5 'past the end of something on the heap' check 12.1
put 'const_cast<T*>(x.data())[0] = 7; rstd[n] = 1;'
expect 7 'must only read' check 12.1
put 'throw 5;'
expect 1 'not a std::exception' check 12.1
put "$right"
perl -0pi -e 's/rmsnorm_forward\(/rms_norm_forward(/' "$file"
expect 4 'the checks do not find what they call' check 12.1   # and never the book's own function
put "$right std::vector<double> v(std::size_t(1) << 36); y(0, 0) += v[0];"
expect 1 'bad_alloc' check 12.1
put "for (int i = 0; i < 200000; ++i) std::printf(\"%d \\\\n\", i); $right"
perl -0pi -e 's/#include <cmath>/#include <cmath>\n#include <cstdio>/' "$file"
expect 0 'bytes in all' check 12.1

# The kernel
kernel=$TPP_WORK/05_softmax/row_softmax.cuh
expect 3 'on the emulator' check 5.3
perl -0pi -e 's/NOT_WRITTEN\("row"\);/y[t] = x[t];/' "$kernel"
expect 1 'past the end of x' check 5.3
rm "$kernel"
"$TPP_LEARN" check 5.3 >/dev/null 2>&1
perl -0pi -e 's/NOT_WRITTEN\("row"\);/part[t] = x[t % M];\n  if (t < 64) __syncthreads();\n  y[t % M] = part[127 - t];/' "$kernel"
expect 1 'only if every thread of the block comes to it' check 5.3
rm "$kernel"
"$TPP_LEARN" check 5.3 >/dev/null 2>&1
perl -0pi -e 's/NOT_WRITTEN\("row"\);/y[t] = x[t];/' "$kernel"
[ -e /dev/nvidia0 ] || expect 9 'skipped: no GPU' check 5.3 --gpu
expect 2 'excludes' check 5.3 --gpu --emulate
expect 1 'past the end of x' check 5.3 --emulate

# Two broken at once: each its own verdict, and the first one's exit code
put 'y.row(n) = x.row(n)'
expect 4 'past the end of x' check 12.1 5.3

# Hints, reset, solution
expect 0 'Hint 1 of 3' hint 12.1
expect 0 'Hint 2 of 3' hint 12.1
expect 0 'old1' reset 12.1
[ -e "$file.old1" ] || { echo "WRONG: reset kept no copy"; bad=1; }
expect 3 'not written yet' check 12.1
expect 0 'Say it with --yes' solution 12.1
expect 0 'squaredNorm' solution 12.1 --yes
expect 0 'solution seen' list
expect 0 'as it was at the start' view 12.1
put "$right"
expect 0 '+' view 12.1
expect 2 'There is no exercise 99.1' check 99.1
expect 2 '' no-such-command

# An update changes an exercise that was passed
expect 0 'passed' check 12.1
perl -pi -e 's/"hash": "[0-9a-f]+"/"hash": "0123456789abcdef"/' "$TPP_WORK/.progress.json"
expect 0 'changed since you passed it' list
expect 0 'passed' check 12.1
echo 'no json' >"$TPP_WORK/.progress.json"
expect 2 'is damaged' list
rm "$TPP_WORK/.progress.json"

# What teachers read
expect 0 'of' report --json "$folder/r.json" --junit "$folder/r.xml" --gradescope "$folder/g.json"
expect 0 '12.1' collect "$folder" --csv "$folder/c.csv"
python3 - "$folder" <<'P' || bad=1
import json, sys, xml.dom.minidom as dom
folder = sys.argv[1]
report = json.load(open(folder + "/r.json"))
one = {e["id"]: e for e in report["exercises"]}["12.1"]
assert one["verdict"] == "passed" and one["comparisons"] == 9, one
suite = dom.parse(folder + "/r.xml").getElementsByTagName("testsuite")[0]
assert int(suite.getAttribute("tests")) == report["of"]
assert int(suite.getAttribute("failures")) == 1, "the kernel"
scores = {t["number"]: t["score"] for t in json.load(open(folder + "/g.json"))["tests"]}
assert scores["12.1"] == 1 and scores["5.3"] == 0
assert len(open(folder + "/c.csv").readlines()) == report["of"] + 1
P

# A folder that cannot be written: what is there is checked, what is not there cannot be made
TPP_WORK=/proc/no expect 2 'Cannot write' check 12.1
if [ "$(id -u)" != 0 ]; then
  chmod -R a-w "$TPP_WORK"
  expect 0 'not noted as your progress' check 12.1
  expect 2 'Cannot write' check 12.2
  chmod -R u+w "$TPP_WORK"
elif command -v setpriv >/dev/null; then  # as somebody who is not root
  learn=$TPP_LEARN
  chmod a+rx "$folder" "$TPP_WORK"
  nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  if "${nobody[@]}" "$learn" list >/dev/null 2>&1; then  # can nobody get at the program at all?
    TPP_LEARN=$folder/as_nobody
    printf '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups "%s" "$@"\n' "$learn" >"$TPP_LEARN"
    chmod a+rx "$TPP_LEARN"
    expect 2 'Cannot write' check 12.2
    expect 2 'Permission denied' check 14.1   # its folder is not there: and not that there is no such file
    expect 0 'Hint ' hint 12.1
    expect 0 'it will come again' hint 12.1
    TPP_LEARN=$learn
  fi
fi

# The program in another place than where it was built: it must not work on the old place's files
mkdir -p "$folder/moved/bin" && cp "$TPP_LEARN" "$folder/moved/bin/tpp-learn"
TPP_LEARN=$folder/moved/bin/tpp-learn expect 2 'the repository was moved or copied' check 12.1
exit "$bad"
