# The viewer without a display: pictures of the right size, numbers, a text, a checkpoint that goes on; and wrong input.
. "$(dirname "$0")/common/lib.sh"
[ -n "${TPP_VIEWER_BIN:-}" ] || { echo "skipped: the viewer was not built"; exit 4; }
unset DISPLAY WAYLAND_DISPLAY
export XDG_CONFIG_HOME=$work/config
viewer=("$TPP_VIEWER_BIN" "${small[@]}")

png_size() {  # png_size FILE: "WIDTH HEIGHT", from the picture's head
  [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || fail "$1 is no PNG"
  # shellcheck disable=SC2046  # eight numbers
  set -- $(od -An -tu1 -j16 -N8 "$1")
  echo "$((($1 << 24) + ($2 << 16) + ($3 << 8) + $4)) $((($5 << 24) + ($6 << 16) + ($7 << 8) + $8))"
}

# Everything is there, and told
succeeds "${viewer[@]}" --headless --steps 12 --out pictures --size 1200x800
for name in window-dark.png window-light.png scalars.csv sample.txt checkpoint.safetensors; do
  [ -s "pictures/$name" ] || fail "no pictures/$name"
  grep -qF "pictures/$name" output.out || fail "pictures/$name is not told"
done
for panel in transport architecture attention rope norms gradients loss samples status; do
  size=$(png_size "pictures/panels/$panel.png")
  [ "${size% *}" -gt 100 ] && [ "${size#* }" -gt 10 ] || fail "the picture of $panel is $size"
  # One colour would be packed into next to nothing
  [ "$(wc -c <"pictures/panels/$panel.png")" -gt 1000 ] || fail "the picture of $panel is empty"
done
[ "$(png_size pictures/window-dark.png)" = "1200 800" ] || fail "the window is $(png_size pictures/window-dark.png)"
[ "$(wc -c <pictures/window-dark.png)" -gt 50000 ] || fail "the window's picture is empty"
cmp -s pictures/window-dark.png pictures/window-light.png && fail "dark and light are the same"
[ "$(wc -l <pictures/scalars.csv)" = 13 ] || fail "scalars.csv has $(wc -l <pictures/scalars.csv) lines"
[ ! -e config ] || fail "a headless run wrote a session"

# Twice the scale is twice the pixels
succeeds "${viewer[@]}" --headless --steps 1 --out twice --size 600x400 --scale 2
[ "$(png_size twice/window-dark.png)" = "1200 800" ] || fail "at scale 2: $(png_size twice/window-dark.png)"

# The checkpoint is that of tpp train, and goes on from there
succeeds "$TPP" train "${small[@]}" --steps 12 --checkpoint trained.safetensors
same_file pictures/checkpoint.safetensors trained.safetensors
succeeds "$TPP" info --checkpoint pictures/checkpoint.safetensors
succeeds "$TPP_VIEWER_BIN" --headless --checkpoint trained.safetensors --steps 20 --out more
grep -q '^20,' more/scalars.csv || fail "step 20 is missing"
[ "$(sed -n 2p more/scalars.csv | cut -d, -f1)" = 13 ] || fail "it did not go on from step 12"

# Ctrl-C saves and says where
"${viewer[@]}" --headless --steps 1000000 --out stopped >output.out 2>output </dev/null &
pid=$!
for _ in $(seq 1 200); do
  [ -e stopped/scalars.csv ] && sleep 1 && break
  sleep 0.1
done
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ "$code" = 130 ] || fail "Ctrl-C: exit code $code"
grep -qF stopped/checkpoint.safetensors output.out || fail "Ctrl-C: the checkpoint is not told"
succeeds "$TPP" info --checkpoint stopped/checkpoint.safetensors

# A value that is not finite: named, the last good state kept, pictures drawn
code=0
"${viewer[@]}" --headless --steps 12 --lr 1e9 --warmup 0 --clip 0 --out broken >output.out 2>output </dev/null || code=$?
[ "$code" = 1 ] || fail "a broken run: exit code $code"
grep -q "was not finite at step" output || fail "a broken run does not say why"
[ -s broken/window-dark.png ] && [ -s broken/checkpoint.safetensors ] || fail "a broken run left nothing"

# Two runs: B from step 4 on, with its own numbers, text and checkpoint
succeeds "${viewer[@]}" --headless --steps 9 --fork norm=layernorm,bias=true --fork-at 4 --show b --out two --size 900x600
[ "$(wc -l <two/scalars.csv)" = 10 ] || fail "A has $(wc -l <two/scalars.csv) lines"
[ "$(wc -l <two/scalars-b.csv)" = 6 ] || fail "B has $(wc -l <two/scalars-b.csv) lines"
[ -s two/sample-b.txt ] || fail "B wrote nothing"
succeeds "$TPP" info --checkpoint two/checkpoint-b.safetensors
grep -q layernorm output.out || fail "B's checkpoint is not B's"
succeeds "$TPP" train "${small[@]}" --steps 9 --checkpoint alone.safetensors
same_file two/checkpoint.safetensors alone.safetensors  # A is what it would have been
refused "norm=layernorm" "${viewer[@]}" --headless --fork layernorm
refused "same in both" "${viewer[@]}" --headless --fork batch=9
refused "--fork must say" "${viewer[@]}" --headless --fork-at 3
refused "wants start or a step" "${viewer[@]}" --headless --fork bias=true --fork-at soon
refused "before step 12" "$TPP_VIEWER_BIN" --headless --checkpoint trained.safetensors --fork bias=true --fork-at 3

# Wrong input
refused "display" "${viewer[@]}"
refused "no-such" "${viewer[@]}" --text no-such.txt
refused "do not divide" "${viewer[@]}" --headless --heads 3
refused "1600x1000" "${viewer[@]}" --headless --size huge
refused "trained.safetensors" "${viewer[@]}" --headless --checkpoint trained.safetensors --out trained.safetensors/below
refused "no-such" "$TPP_VIEWER_BIN" --headless --checkpoint no-such.safetensors
refused "text.txt" "$TPP_VIEWER_BIN" --headless --checkpoint text.txt
refused "" "${viewer[@]}" --theme pink
succeeds "$TPP_VIEWER_BIN" --help
grep -q -- --headless output.out || fail "--help says nothing about --headless"

echo "$checks checks"
