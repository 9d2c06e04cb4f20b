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

# exercise | a wrong answer that three steps show ("-": nothing in these models calls it) | in which model
cases='2.1|last_row_only|gpt
4.1|averaged|llama
5.1|-|llama
5.2|sign_swapped|llama
6.1|no_scale|llama
7.1|sign|alibi
7.2|sines_only|gpt
8.1|projection_term_missing|gpt
9.1|inner_derivative_missing|gpt
10.1|ascent|llama
10.2|inverted|llama
12.1|mean_subtracted|llama
12.2|no_projection|llama
13.1|both_minus|llama
14.1|first_term_missing|llama
15.1|modulo|llama'
declare -A model=(
  [llama]="--layers 1 --width 32 --batch 2 --length 32 --clip 0.1"
  [gpt]="--recipe gpt --position sinusoidal --layers 1 --width 32 --batch 2 --length 32"
  [alibi]="--position alibi --layers 1 --width 32 --batch 2 --length 32")

train() {  # train NAME MODEL ARGUMENTS…: writes NAME.losses
  local name=$1 options=${model[$2]}
  shift 2
  # shellcheck disable=SC2086  # a list
  "$TPP" train --steps 3 $options --sample 0 --validate-every 0 --checkpoint "$folder/$name.safetensors" \
    --csv "$folder/$name.csv" "$@" >"$folder/$name.log" 2>&1 || { wrong "train $* failed"; cat "$folder/$name.log"; }
  cut -d, -f1,2 "$folder/$name.csv" >"$folder/$name.losses"
}

# Every exercise with a place in the model is in the list, and every place is asked for
while IFS= read -r toml; do
  id=$(sed -n 's/^id *= *"\(.*\)"$/\1/p' "$toml")
  grep -q "^$id|" <<<"$cases" || wrong "this test does not know what $id does in the model"
  for slot in $(sed -n 's/^slots *= *\[\(.*\)\]$/\1/p' "$toml" | tr -d '",'); do
    grep -qF "slot(\"$slot\")" "$root"/chapters/*/*.cpp || wrong "$toml: no chapter asks for the slot $slot"
  done
done < <(grep -l '^slots *=' "$root"/chapters/*/exercises/*/exercise.toml)

# A wrong answer changes the loss
declare -A mine=([llama]="" [gpt]="" [alibi]="")
for name in llama gpt alibi; do train "$name" "$name"; done
while IFS='|' read -r id mistake name; do
  file=$TPP_WORK/$(cd "$root" && grep -lxF "id = \"$id\"" chapters/*/exercises/*/exercise.toml | sed 's|chapters/\(.*\)/exercises/\(.*\)/.*|\1/\2.h|')
  mkdir -p "$(dirname "$file")"
  "$TPP_LEARN" text "$id" reference >"$file"
  mine[$name]=${mine[$name]:+${mine[$name]},}$id
  [ "$mistake" != - ] || continue
  train "broken_$id" "$name" --mine "$id=$mistake"
  cmp -s "$folder/$name.losses" "$folder/broken_$id.losses" && wrong "$id=$mistake changes nothing in the model $name"
done <<<"$cases"

# The references in the student's place: the book's losses, but for rounding
for name in llama gpt alibi; do
  train "mine_$name" "$name" --mine "${mine[$name]}"
  paste -d, "$folder/$name.losses" "$folder/mine_$name.losses" |
    awk -F, 'NR > 1 { seen++; d = $2 - $4; if (d < 0) d = -d; if (!(d <= 1e-4)) far = 1 } END { exit !(seen == 3 && !far) }' ||
    { wrong "the references in the student's place change $name:"; paste "$folder/$name.losses" "$folder/mine_$name.losses"; }
  for id in ${mine[$name]//,/ }; do
    grep -q "In the model: .*$id .*: yours" "$folder/mine_$name.log" || wrong "the log does not say that $id is mine"
  done
done
# One of them alone: not a bit
train alone llama --mine 12.1
cmp -s "$folder/llama.losses" "$folder/alone.losses" || wrong "the reference of 12.1 in the student's place changes the run"

# By name; and what is refused
"$TPP_LEARN" slot rmsnorm,rope >"$folder/named" || wrong "rmsnorm,rope"
[ "$(cut -f1 "$folder/named" | sort | tr '\n' ' ')" = "rmsnorm_backward rmsnorm_forward rope_rotate_pair " ] ||
  { wrong "rmsnorm,rope is"; cat "$folder/named"; }
echo 'not C++' >>"$TPP_WORK/12_rmsnorm/forward.h"
"$TPP" train --steps 3 --mine 12.1 >"$folder/refused" 2>&1 && wrong "an answer that does not pass was put into the model"
grep -q "does not pass" "$folder/refused" || { wrong "why it was refused:"; cat "$folder/refused"; }
"$TPP" train --steps 3 --mine 1.1 >"$folder/refused" 2>&1 && wrong "1.1 has no place in the model"
grep -q "There are: 2.1 (add_row_backward), " "$folder/refused" || { wrong "what there is:"; cat "$folder/refused"; }
"$TPP" train --steps 3 --device emulated --mine 12.2 >"$folder/refused" 2>&1 && wrong "--mine on a device, where it does nothing"
grep -q "works on the processor" "$folder/refused" || { wrong "why not on a device:"; cat "$folder/refused"; }
"$TPP" info --checkpoint "$folder/broken_12.1.safetensors" | grep -q "WRONG ANSWER mean_subtracted" || wrong "the checkpoint does not say it"
"$TPP" info --checkpoint "$folder/llama.safetensors" | grep -q "in the model" && wrong "the book's run says that it is mine"
exit "$bad"
