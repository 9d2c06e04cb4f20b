# The real window: GLFW and OpenGL on a screen that exists only in memory. Skipped where there is no Xvfb.
. "$(dirname "$0")/common/lib.sh"
[ -n "${TPP_VIEWER_BIN:-}" ] || { echo "skipped: the viewer was not built"; exit 4; }
command -v Xvfb >/dev/null || { echo "skipped: there is no Xvfb (Debian: apt-get install xvfb)"; exit 4; }
export XDG_CONFIG_HOME=$work/config LIBGL_ALWAYS_SOFTWARE=1
unset WAYLAND_DISPLAY
# Sanitizers see the graphics driver's own habits, which are not ours
export LSAN_OPTIONS=detect_leaks=0 ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"

# A display of its own; Xvfb writes its number when it is ready
mkfifo number
Xvfb -displayfd 3 -screen 0 1700x1100x24 -nolisten tcp 3>number 2>xvfb.log &
xvfb=$!
trap 'kill "$xvfb" 2>/dev/null || true; rm -rf "$work"' EXIT
read -r -t 30 display <number || { cat xvfb.log; echo "skipped: Xvfb does not start"; exit 4; }
export DISPLAY=:$display
viewer=("$TPP_VIEWER_BIN" "${small[@]}")

# It opens, trains, draws and quits
code=0
timeout 120 "${viewer[@]}" --frames 20 >output.out 2>output </dev/null || code=$?
if [ "$code" = 2 ] && grep -qi "opengl" output; then
  cat output
  echo "skipped: no OpenGL 3.2 here (Debian: apt-get install libgl1-mesa-dri)"
  exit 4
fi
[ "$code" = 0 ] || fail "exit code $code"

# A hand clicks: pause, another norm, another layout, a picture
cat >tour.txt <<'END'
wait 20
see transport/play
click transport/play
see slot/attention
click architecture/norm
wait 3
click architecture/norm/layernorm
wait 20
key F1
wait 2
key Escape
key 6
wait 3
see slot/reader
key 1
wait 3
nosee slot/reader
key T
wait 10
shot window.png
END
timeout 240 "${viewer[@]}" --script tour.txt >output.out 2>output </dev/null || fail "the tour: exit code $?"
[ "$(head -c 8 window.png | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || fail "window.png is no PNG"
[ "$(wc -c <window.png)" -gt 30000 ] || fail "window.png is nearly empty: $(wc -c <window.png) bytes"

# A script that asks for what is not there says so
echo "click no/such/thing" >wrong.txt
code=0
timeout 120 "${viewer[@]}" --script wrong.txt >output.out 2>output </dev/null || code=$?
[ "$code" = 1 ] || fail "a wrong script: exit code $code"
grep -q "no/such/thing" output || fail "a wrong script is not named"

# A hostile session gives a notice and defaults; a good one is written at the end
mkdir -p config/transformer++
printf '{"format": "transformer++ session 1", "zoom": 1e9}' >config/transformer++/session.json
timeout 120 "${viewer[@]}" --frames 5 >output.out 2>output </dev/null || fail "a hostile session: exit code $?"
grep -q "session.json" output || fail "a hostile session is not told"
printf 'wait 5\nkey T\nkey Ctrl+S\nwait 3\n' >save.txt
timeout 120 "${viewer[@]}" --script save.txt --session mine.json >output.out 2>output </dev/null || fail "saving: exit code $?"
grep -q '"theme": "light"' mine.json || fail "the session does not have the theme"
grep -q '"option.width": "16"' mine.json || fail "the session does not have the run's options"
timeout 120 "$TPP_VIEWER_BIN" --session mine.json --frames 5 >output.out 2>output </dev/null || fail "opening the session: exit code $?"
grep -q "1 layers of width 16" output || fail "the session's options were not taken"

echo "passed"
