# A handout holds nothing of what stands in the holes. (.ci/run handout builds one and does its exercises.)
set -u
export TPP_LEARN_BUILT=1 NO_COLOR=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TPP_WORK=$folder/work
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$folder/copy

"$TPP_LEARN" handout "$copy" --no-libraries || exit 1
"$TPP_LEARN" handout "$copy" --no-libraries 2>/dev/null && { echo "WRONG: a folder that is there was written to"; exit 1; }
[ ! -e "$copy/.git" ] || { echo "WRONG: git's history came along"; exit 1; }
[ ! -e "$copy/tests/chapters" ] || { echo "WRONG: the book's tests came along: they hold answers of their own"; exit 1; }
commands=$(sed -n '/^## Two commands/,/^## More/p' "$copy/README.md")
grep -qx './run learn' <<<"$commands" && ! grep -q './run test' <<<"$commands" ||
  { echo "WRONG: the copy's README does not begin with the copy's own two commands:"; echo "$commands"; exit 1; }
[ -x "$copy/run" ] || { echo "WRONG: run is not there, or cannot be run"; exit 1; }

# Each hole's text, spaces aside, in no file; each longer line of one not more often than the task itself allows
python3 - "$root" "$copy" <<'P'
import pathlib, re, sys
root, copy = map(pathlib.Path, sys.argv[1:])
bare = lambda text: re.sub(r"\s", "", text)
holes = []
for name in ("reference.h", "reference.cuh"):
    for path in root.glob("chapters/*/exercises/*/" + name):
        for hole in re.findall(r"// \[hole (\w+) \"[^\n]*\]\n(.*?)\n[^\n]*// \[/hole\]", path.read_text(), re.S):
            holes.append((path.parent.name + "/" + hole[0], hole[1]))
assert len(holes) >= 5, "no holes found: does this test look at anything?"
files = {p: bare(p.read_bytes().decode("utf-8", "replace")) for p in copy.rglob("*") if p.is_file()}
assert len(files) > 300, len(files)
bad = 0
for name, text in holes:
    wanted = bare(text)
    code = bare(re.sub(r"//[^\n]*", "", text))
    for p, content in files.items():
        if (len(wanted) >= 24 and wanted in content) or (len(code) >= 24 and code in content):
            print(f"WRONG: {p.relative_to(copy)} holds what stands in the hole {name}")
            bad += 1
wrong = [p for p in files if p.name == "wrong.h"]
assert not wrong, wrong
# The test itself: the book does hold them
book = {p: bare(p.read_text()) for p in root.glob("chapters/*/exercises/*/reference.*")}
assert all(any(bare(text) in content for content in book.values()) for _, text in holes)
print(f"{len(holes)} holes, {len(files)} files")
sys.exit(bad != 0)
P
