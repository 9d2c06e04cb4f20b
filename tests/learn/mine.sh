# Readers' functions in the model: every place that an exercise names is asked for by a chapter, and what stands there trains.
set -u
export TPP_LEARN_BUILT=1 NO_COLOR=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TPP_WORK=$folder/work
root=$(cd "$(dirname "$0")/../.." && pwd)
export TPP_ROOT=$root
bad=0
wrong() { echo "WRONG: $*"; bad=1; }

slots=0
for toml in "$root"/chapters/*/exercises/*/exercise.toml; do
  slot=$(sed -n 's/^slot *= *"\(.*\)"$/\1/p' "$toml")
  [ -n "$slot" ] || continue
  slots=$((slots + 1))
  grep -qF "slot(\"$slot\")" "$root"/chapters/*/*.cpp || wrong "$toml: no chapter asks for the slot $slot"
  id=$(sed -n 's/^id *= *"\(.*\)"$/\1/p' "$toml")
  mistake=$(sed -n 's/^\/\/ \[wrong \([a-z0-9_]*\) .*/\1/p' "$(dirname "$toml")/wrong.h" | head -n 1)
  "$TPP_LEARN" slot "$id=$mistake" >/dev/null || wrong "$id=$mistake cannot be put into the model"
done
[ "$slots" -ge 3 ] || wrong "only $slots slots: does this test look at anything?"

# The reference in the student's place changes no bit; a wrong answer changes the loss
train() {  # train NAME ARGUMENTS…
  local name=$1
  shift
  "$TPP" train --steps 3 --layers 1 --width 32 --batch 2 --length 32 --sample 0 --validate-every 0 \
    --checkpoint "$folder/$name.safetensors" --csv "$folder/$name.csv" "$@" >"$folder/$name.log" 2>&1 ||
    { wrong "train $* failed"; cat "$folder/$name.log"; }
  cut -d, -f1,2 "$folder/$name.csv" >"$folder/$name.losses"
}
train book
"$TPP" train --steps 3 --mine 12.1 >"$folder/refused" 2>&1 && wrong "an answer that does not pass was put into the model"
grep -q "does not pass" "$folder/refused" || { wrong "why it was refused:"; cat "$folder/refused"; }
mkdir -p "$TPP_WORK/12_rmsnorm"
"$TPP_LEARN" text 12.1 reference >"$TPP_WORK/12_rmsnorm/forward.h"
train mine --mine 12.1
train broken --mine 12.1=mean_subtracted
cmp -s "$folder/book.losses" "$folder/mine.losses" || wrong "the reference in the student's place changed the run"
cmp -s "$folder/book.losses" "$folder/broken.losses" && wrong "a wrong answer changed nothing"
grep -q "12.1 RMSNorm forward: yours" "$folder/mine.log" || wrong "the log does not say whose function it is"
"$TPP" info --checkpoint "$folder/broken.safetensors" | grep -q "WRONG ANSWER mean_subtracted" || wrong "the checkpoint does not say it"
"$TPP" info --checkpoint "$folder/book.safetensors" | grep -q "in the model" && wrong "the book's run says that it is mine"
exit "$bad"
