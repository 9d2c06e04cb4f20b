# The same commands on a device: the emulator here, and a clear sentence where there is no GPU.
. "$(dirname "$0")/common/lib.sh"
if ! "$TPP" train "${small[@]}" --device emulated --steps 1 --checkpoint try.safetensors >try.out 2>&1; then
  grep -q 'the emulator is not in this build' try.out && { echo "skipped: a build with sanitizers"; exit 4; }
  cat try.out
  fail "--device emulated does not train"
fi
grep -q 'on emulator' try.out || fail "the run does not say where it trains"

# It learns as on the processor, and goes on elsewhere
succeeds "$TPP" train "${small[@]}" --steps 12 --checkpoint cpu.safetensors --csv cpu.csv
for precision in float32 tf32 bf16; do
  succeeds "$TPP" train "${small[@]}" --device emulated --precision $precision --steps 12 --checkpoint $precision.safetensors \
    --csv $precision.csv --validate-every 6
  paste -d, cpu.csv $precision.csv | awk -F, -v most=$([ $precision = bf16 ] && echo 0.03 || echo 0.001) -v columns="$(head -1 cpu.csv | tr ',' '\n' | wc -l)" '
    NR == 1 { if ($2 != "loss") exit 1 } NR > 1 { d = $2 - $(columns + 2); if (!(d * d <= most * most)) exit 1; lines++ } END { if (lines != 12) exit 1 }' ||
    fail "$precision does not follow the processor's losses"
done
succeeds "$TPP" train --resume bf16.safetensors --precision float32 --steps 14 --checkpoint more.safetensors
refused "--precision" "$TPP" train --resume bf16.safetensors --steps 14 --checkpoint never.safetensors
succeeds "$TPP" train --resume cpu.safetensors --device emulated --steps 14 --checkpoint there.safetensors

# It writes the same text, greedily
succeeds "$TPP" generate --checkpoint cpu.safetensors --prompt "The" --tokens 12 --temperature 0
cp output.out here
succeeds "$TPP" generate --checkpoint cpu.safetensors --prompt "The" --tokens 12 --temperature 0 --device emulated
same_file here output.out

# What cannot be is refused with what to do
refused "--device gpu or --device emulated" "$TPP" train "${small[@]}" --precision bf16 --steps 1 --checkpoint never.safetensors
refused "wants one of" "$TPP" train "${small[@]}" --device tpu --steps 1 --checkpoint never.safetensors
if ! "$TPP" train "${small[@]}" --device gpu --steps 1 --checkpoint g.safetensors >gpu.out 2>&1; then
  grep -q -- '--device gpu: no GPU' gpu.out || fail "no GPU, and no sentence about it"
fi

# The viewer looks into a run on a device
if [ -n "${TPP_VIEWER_BIN:-}" ]; then
  unset DISPLAY WAYLAND_DISPLAY
  export XDG_CONFIG_HOME=$work/config
  succeeds "$TPP_VIEWER_BIN" "${small[@]}" --device emulated --headless --steps 4 --out pictures --size 1000x700
  [ -s pictures/window-dark.png ] || fail "no picture of a run on a device"
fi
finish 12
