#!/bin/sh
# Which of the planted mistakes does compute-sanitizer see too? Needs a GPU, nvcc and compute-sanitizer.
#
#   tests/kernels/cuda/agree.sh [folder for the program and the reports]
#
# Prints a table for kernels/README.md. Fails when the sanitizer is silent about what "both see". What the emulator sees
# is a test of its own: tpp_kernel_planted all.
#
# Left out, because a GPU would wait for ever: divergent_shuffle, mixed_shuffles, spinning. Left out, because a GPU does
# as it is told: sleeping, bad_width, mask_without_caller.
set -eu
cd "$(dirname "$0")/../../.."
out=${1:-${TMPDIR:-/tmp}/tpp-agree}
mkdir -p "$out"
PATH=$PATH:/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer

# mistake, tool, who sees it: both, or the emulator alone. "open": written down as it is found
expected='
off_by_one memcheck both
before_the_start memcheck both
no_device_memory memcheck both
use_after_free memcheck both
misaligned memcheck both
copy_too_long memcheck open
stack_overflow memcheck both
too_many_threads memcheck both
small_dynamic memcheck both
shared_overflow memcheck both
row_overflow memcheck emulator
missing_barrier racecheck both
missing_second_barrier racecheck both
old_warp_code racecheck both
forgotten_wait racecheck both
lost_update racecheck emulator
mixed_atomic racecheck emulator
last_block_without_fence racecheck emulator
uninitialised_global initcheck both
uninitialised_shared initcheck emulator
stale_shared initcheck emulator
divergent_barrier synccheck emulator
early_return synccheck emulator
two_barriers synccheck both
'

nvcc -arch=native -std=c++20 -lineinfo -I. tests/kernels/cuda/planted.cu -o "$out/planted"

# Six at a time: most of a run is the start of CUDA
rm -f "$out"/*.txt
echo "$expected" | while read -r mistake tool who; do
  [ -n "$mistake" ] && echo "$mistake $tool"
done | xargs -P 6 -L 1 sh -c '
  timeout 20 compute-sanitizer --tool "$2" "$0/planted" "$1" > "$0/$1.txt" 2>&1 || true
' "$out"

# A report ends with how many errors or hazards it has
count() {
  sed -n -E 's/.*ERROR SUMMARY: ([0-9]+) error.*/\1/p; s/.*RACECHECK SUMMARY: ([0-9]+) hazard.*/\1/p' "$1" | tail -1
}

failed=0
echo '| mistake | tool | who sees it | the line that compute-sanitizer names |'
echo '| --- | --- | --- | --- |'
while read -r mistake tool who; do
  [ -n "$mistake" ] || continue
  found=$(count "$out/$mistake.txt")
  note=''
  if [ -z "$found" ]; then
    seen='no report'
    [ "$who" = emulator ] || failed=1
    note=" ($(tail -1 "$out/$mistake.txt" | tr '|' ' '))"
  elif [ "$found" -gt 0 ]; then
    seen='both see it'
    [ "$who" = emulator ] && note=' (more than was claimed: say so in this script)'
  else
    seen='emulator only'
    [ "$who" = both ] && failed=1 && note=' (WRONG: both are said to see it)'
  fi
  line=$(grep -o -E 'bug_kernels.cuh:[0-9]+' "$out/$mistake.txt" | head -1 || true)
  echo "| \`$mistake\` | $tool | $seen$note | $line |"
done <<END
$expected
END
[ "$failed" = 0 ] || echo "compute-sanitizer was silent where it should speak: see $out" >&2
exit "$failed"
