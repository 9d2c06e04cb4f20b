# Ctrl-C saves and says where; the run goes on from there. A learning rate that is too large stops, named.
. "$(dirname "$0")/common/lib.sh"

"$TPP" train "${small[@]}" --steps 1000000 --checkpoint stopped.safetensors >output.out 2>output &
run=$!
for i in $(seq 100); do sleep 0.1; grep -q "step" output && break; done
sleep 0.5
kill -INT $run
code=0
wait $run || code=$?
[ "$code" = 130 ] || fail "exit code $code after Ctrl-C"
grep -q 'Stopped; saved at step [0-9]*: stopped.safetensors' output || fail "it does not say where it saved"
checks=$((checks + 1))
step=$(sed -n 's/.*saved at step \([0-9]*\):.*/\1/p' output)
succeeds "$TPP" train --resume stopped.safetensors --steps $((step + 2))
grep -q "Saved at step $((step + 2))" output || fail "it did not go on from step $step"

code=0
"$TPP" train "${small[@]}" --steps 60 --lr 1e9 --clip 0 --checkpoint wild.safetensors >output.out 2>output || code=$?
[ "$code" = 1 ] || fail "exit code $code when a value was not finite"
grep -q 'is not a finite number at step' output || fail "the value is not named"
succeeds "$TPP" info --checkpoint wild.safetensors
! grep -qi nan output.out || fail "the kept state is not good"

# A disk that is full from the start of the run on: the model is saved where there is room
mkdir small-disk
if mount -t tmpfs -o size=64k tmpfs small-disk 2>/dev/null; then
  trap 'cd /; umount "$work/small-disk"; rm -rf "$work"' EXIT
  head -c 60000 /dev/zero >small-disk/filler
  TMPDIR=$work succeeds "$TPP" train "${small[@]}" --steps 5 --checkpoint small-disk/x.safetensors --save-every 0
  grep -q 'training goes on' output || fail "it did not say that it could not save"
  [ -s x.safetensors ] || fail "the model was lost on a full disk"
  [ ! -e small-disk/x.safetensors ] || fail "half a file was left on the full disk"
else
  echo "skipped: mounting a small disk needs root"
  checks=$((checks + 1))
fi
finish 4
