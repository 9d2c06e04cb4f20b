# Wrong input: one sentence with what to do, exit code 2, nothing overwritten.
. "$(dirname "$0")/common/lib.sh"
train=("$TPP" train "${small[@]}" --steps 3 --checkpoint new.safetensors)

# Texts
refused "no-such" "${train[@]}" --text no-such-file.txt
: >empty.txt
refused "empty" "${train[@]}" --text empty.txt
mkdir folder
refused "folder" "${train[@]}" --text folder
printf 'too short' >short.txt
refused "32" "${train[@]}" --text short.txt
[ ! -e new.safetensors ] || fail "a refused run wrote a checkpoint"

# Models that cannot be
refused "do not divide" "${train[@]}" --heads 3
refused "key heads" "${train[@]}" --attention gqa:3
refused "pairs" "${train[@]}" --heads 16
refused "--norm wants one of" "${train[@]}" --norm batchnorm
refused "--layers wants a whole number" "${train[@]}" --layers none
refused "--recipe wants one of" "${train[@]}" --recipe bert
refused "vocabulary" "${train[@]}" --tokenizer bpe:12
refused "vocabulary" "${train[@]}" --tokenizer unigram:12
refused "--objective wants one of" "${train[@]}" --objective bert
refused "leave the objective at causal" "${train[@]}" --text copy --objective masked
refused "at least 8 tokens" "${train[@]}" --objective span --length 7
refused "" "$TPP" train --no-such-option
refused "" "$TPP"

# Checkpoints
refused "no-such" "$TPP" generate --checkpoint no-such.safetensors
refused "text.txt" "$TPP" info --checkpoint text.txt
refused "folder" "$TPP" info --checkpoint folder
succeeds "${train[@]}"
cp new.safetensors kept
refused "is there already" "${train[@]}"
same_file new.safetensors kept
for size in 0 7 8 100 5000; do
  head -c "$size" new.safetensors >cut.safetensors
  refused "cut.safetensors" "$TPP" generate --checkpoint cut.safetensors
done
refused "--objective fim" "$TPP" generate --checkpoint new.safetensors --suffix "end"
succeeds "$TPP" train "${small[@]}" --objective masked --steps 2 --sample 0 --checkpoint masked.safetensors
refused "fill blanks" "$TPP" generate --checkpoint masked.safetensors
refused "keeps its --objective" "$TPP" train --resume masked.safetensors --objective causal --steps 9
refused "keeps its --width" "$TPP" train --resume new.safetensors --width 32 --steps 9
refused "keeps its model" "$TPP" train --resume new.safetensors --recipe gpt --steps 9
refused "has done its 3 steps" "$TPP" train --resume new.safetensors
refused "folder" "$TPP" train "${small[@]}" --checkpoint folder
refused "cannot write" "$TPP" train "${small[@]}" --steps 2 --checkpoint /proc/nowhere/x.safetensors
refused "cannot write" "$TPP" train "${small[@]}" --steps 2 --csv /proc/nowhere.csv
refused "temperature" "$TPP" generate --checkpoint new.safetensors --temperature -1
refused "top-p" "$TPP" generate --checkpoint new.safetensors --top-p 2
refused "top-k" "$TPP" generate --checkpoint new.safetensors --top-k -2
refused "empty" "$TPP" generate --checkpoint new.safetensors --prompt ""
same_file new.safetensors kept
finish 43
