# Train, go on, write text, look: the commands as a reader uses them.
. "$(dirname "$0")/common/lib.sh"

# 20 steps are 10 steps and 10 more, in every byte of the file; the number of threads does not matter
succeeds "$TPP" train "${small[@]}" --steps 20 --checkpoint whole.safetensors --csv whole.csv --validate-every 5
succeeds "$TPP" train "${small[@]}" --steps 20 --checkpoint part.safetensors --csv part.csv --validate-every 5 --minutes 0.01 || true
rm -f part.safetensors part.csv
succeeds "$TPP" train "${small[@]}" --steps 10 --schedule constant --checkpoint half.safetensors --csv half.csv
succeeds "$TPP" train --resume half.safetensors --steps 20 --checkpoint resumed.safetensors --csv half.csv
succeeds "$TPP" train "${small[@]}" --steps 20 --schedule constant --threads 1 --checkpoint straight.safetensors
succeeds "$TPP" train --resume straight.safetensors --threads 2 --steps 21 --checkpoint a.safetensors
succeeds "$TPP" train --resume resumed.safetensors --threads 2 --steps 21 --checkpoint b.safetensors
same_file a.safetensors b.safetensors

# The log has a header and a line a step, also when the run went on
[ "$(wc -l <whole.csv)" = 21 ] || fail "whole.csv has $(wc -l <whole.csv) lines"
[ "$(wc -l <half.csv)" = 21 ] || fail "half.csv has $(wc -l <half.csv) lines"
[ "$(cut -d, -f1 half.csv | tail -n +2 | sort -n | uniq | wc -l)" = 20 ] || fail "half.csv repeats steps"
[ "$(awk -F, 'NR > 1 && $3 != ""' whole.csv | wc -l)" = 4 ] || fail "validation was not every 5 steps"

# The same words again, other words with another seed
succeeds "$TPP" generate --checkpoint whole.safetensors --prompt "The cat" --tokens 50
cp output.out first
succeeds "$TPP" generate --checkpoint whole.safetensors --prompt "The cat" --tokens 50
same_file first output.out
grep -q '^The cat' output.out || fail "the prompt is missing"
succeeds "$TPP" generate --checkpoint whole.safetensors --prompt "The cat" --tokens 50 --seed 2
! cmp -s first output.out || fail "another seed gave the same text"

succeeds "$TPP" info --checkpoint whole.safetensors
grep -q 'step 20 of 20' output.out || fail "info does not tell the step"
grep -q 'block0/attn/wqkv' output.out || fail "info does not list parameters"

# Without --checkpoint every run has a file of its own
succeeds "$TPP" train "${small[@]}" --steps 2
succeeds "$TPP" train "${small[@]}" --steps 2
[ -s out/train-1.safetensors ] && [ -s out/train-2.safetensors ] || fail "a run replaced another's file"

# Both recipes, byte pairs, and a task
succeeds "$TPP" train "${small[@]}" --recipe gpt --steps 3
succeeds "$TPP" train "${small[@]}" --tokenizer bpe:300 --steps 3 --checkpoint bpe.safetensors
succeeds "$TPP" generate --checkpoint bpe.safetensors --prompt "The" --tokens 5
succeeds "$TPP" train "${small[@]}" --text copy --steps 3

# The unigram model, and other questions than the next token: trained, saved, gone on with
succeeds "$TPP" train "${small[@]}" --tokenizer unigram:300 --steps 3 --checkpoint unigram.safetensors
succeeds "$TPP" generate --checkpoint unigram.safetensors --prompt "The" --tokens 5
for objective in masked prefix span fim; do
  succeeds "$TPP" train "${small[@]}" --objective $objective --steps 3 --checkpoint $objective.safetensors
  succeeds "$TPP" train --resume $objective.safetensors --steps 4 --checkpoint $objective.safetensors
done
succeeds "$TPP" generate --checkpoint fim.safetensors --prompt "The" --suffix " end." --tokens 5
grep -q '^The.* end\.$' output.out || fail "the middle is not between its sides"
succeeds "$TPP" text --objective span --sequences 1 --length 64
[ "$(grep -o '<span_0>' output.out | wc -l)" = 2 ] || fail "the gap has no answer"
succeeds "$TPP" text --text sorting --sequences 1 --length 64

for command in "" train generate info text; do
  succeeds "$TPP" $command --help
done
finish 36
