#!/usr/bin/env bash
# Everything that needs a GPU, in one go: build, tests, compute-sanitizer, the recorder beside ncu, what the sanitizer sees of
# the planted mistakes, PyTorch, training in four number formats, benchmarks. Logs and results go to a folder. About eight
# minutes on an H100 with 16 cores. A step that fails does not stop the others; the exit code is 1 when any did.
#
#   bench/gpu/everything.sh                    all steps, into out/gpu
#   bench/gpu/everything.sh FOLDER build bench only these: build tests sanitizer recorder agree peers curves bench
#
#   TPP_CMAKE_ARGS="…"   more arguments for CMake          TPP_JOBS=N          compile N files at a time
#   TPP_GPU_BUILD=…      the build folder (build-gpu)      TPP_PEER_SECONDS=N  as long may PyTorch take (150)
#   TPP_PYTHON=…         the Python that has PyTorch (python3)        TPP_BENCH_ARGS="--quick …"  for bench_gpu
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
out=$(mkdir -p "${1:-out/gpu}" && cd "${1:-out/gpu}" && pwd -P) || exit 1
[ $# = 0 ] || shift
chosen=("$@")
build=${TPP_GPU_BUILD:-build-gpu}
python=${TPP_PYTHON:-python3}
known=" build tests sanitizer recorder agree peers curves bench "
export PATH=$PATH:/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer
for name in "$@"; do
  [[ $known == *" $name "* ]] || { echo "There is no step '$name':$known"; exit 2; }
done
results=()

step() {  # step NAME TITLE COMMAND…: its output goes to NAME.log, the end of it to the screen
  local name=$1 title=$2 start=$SECONDS status=ok
  shift 2
  if [ ${#chosen[@]} -gt 0 ] && [[ " ${chosen[*]} " != *" $name "* ]]; then return; fi
  printf '\n=== %s: %s\n' "$name" "$title"
  "$@" >"$out/$name.log" 2>&1 || status=FAILED
  tail -n 25 "$out/$name.log" | cut -c 1-240
  results+=("$(printf '%-10s %-7s %4d s  %s' "$name" "$status" $((SECONDS - start)) "$title")")
  printf '%s\n' "${results[@]}" >"$out/summary.txt"
}

build_all() {
  # shellcheck disable=SC2086  # a list
  cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DTPP_GPU=ON -DTPP_VIEWER=OFF \
    -DCMAKE_CUDA_ARCHITECTURES="${TPP_GPU_ARCHITECTURES:-90}" ${TPP_CMAKE_ARGS:-} || return 1
  # What is missing in one program must not keep the others from being built
  ninja -C "$build" -j "${TPP_JOBS:-$(nproc)}" -k 0 tpp_twin_tests_gpu bin/bench_gpu tpp_gpu bench_gpu_training tpp_tests \
    tpp_kernel_compare bin/tpp
}

run_tests() {
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  local failed=0
  timeout 120 "$build/bin/tpp_twin_tests_gpu" || failed=1
  echo "The model on the GPU beside the processor:"
  timeout 120 "$build/bin/tpp_tests" "[gpu]" || failed=1
  return $failed
}

# One small case of each operation: the sanitizer is tens of times slower than the GPU
run_sanitizer() {
  local list=(--list-tests --verbosity quiet)  # Catch2, version 3; else 2
  "$build/bin/tpp_twin_tests_gpu" "${list[@]}" 2>/dev/null | grep -q ' test cases$' && list=(--list-test-names-only)
  "$build/bin/tpp_twin_tests_gpu" "${list[@]}" | sed 's/^ *//' | grep ': ' | awk -F: '!seen[$1]++' >"$out/sanitizer_cases.txt"
  echo "$(wc -l <"$out/sanitizer_cases.txt") cases:"
  cat "$out/sanitizer_cases.txt"
  local spec tool failed=0
  spec=$(sed 's/[],["\\]/\\&/g' "$out/sanitizer_cases.txt" | paste -sd,)
  for tool in memcheck racecheck; do
    timeout 150 compute-sanitizer --tool $tool --error-exitcode 9 "$build/bin/tpp_twin_tests_gpu" "$spec" \
      >"$out/$tool.log" 2>&1 &
  done
  for job in $(jobs -p); do wait "$job" || failed=1; done
  for tool in memcheck racecheck; do
    echo "--- $tool"
    tail -n 12 "$out/$tool.log"
  done
  grep -q 'ERROR SUMMARY: 0 errors' "$out/memcheck.log" && grep -q 'SUMMARY: 0 hazards' "$out/racecheck.log" && return $failed
  return 1
}

run_recorder() {
  nvcc "-arch=sm_${TPP_GPU_ARCHITECTURES:-90}" -std=c++20 -O3 -I. tests/kernels/cuda/compare.cu -o "$out/compare_gpu" || return 1
  "$build/bin/tpp_kernel_compare" >"$out/recorder.txt" || return 1
  ncu --csv --metrics "$("$python" tests/kernels/cuda/compare.py --metrics)" "$out/compare_gpu" >"$out/ncu.csv" ||
    { tail -n 5 "$out/ncu.csv"; return 1; }
  rm -f "$out/compare_gpu"
  "$python" tests/kernels/cuda/compare.py "$out/recorder.txt" "$out/ncu.csv"
}

run_agree() {
  [ -e tests/kernels/cuda/agree.sh ] || { echo "tests/kernels/cuda/agree.sh is not there"; return 1; }
  sh tests/kernels/cuda/agree.sh "$(mktemp -d)"
}

run_peers() {
  "$python" bench/peers/torch_gpu.py --json "$out/peers.json" --budget "${TPP_PEER_SECONDS:-150}"
}

# The same run in four number formats; bench_gpu --curves makes a table and a picture of it
run_curves() {
  local name failed=0 where
  for name in float32 tf32 bf16 cpu; do
    where=(--device gpu --precision "$name")
    [ "$name" = cpu ] && where=(--device cpu)
    timeout 200 "$build/bin/tpp" train "${where[@]}" --steps 600 --seed 1 --sample 0 --force --csv "$out/curve_$name.csv" \
      --checkpoint "$out/curve.safetensors" >"$out/curve_$name.log" 2>&1 || failed=1
    echo "$name: $(tr '\r' '\n' <"$out/curve_$name.log" | grep -o 'step .*tokens/s' | tail -n 1)"
  done
  rm -f "$out/curve.safetensors"
  return $failed
}

run_bench() {
  local peers=()
  [ -e "$out/peers.json" ] && peers=(--peers "$out/peers.json")
  # shellcheck disable=SC2086  # a list
  "$build/bin/bench_gpu" --json "$out/bench.json" "${peers[@]}" ${TPP_BENCH_ARGS:-}
}

step build "configure and compile" build_all
step tests "the twins' tests on the GPU" run_tests
step sanitizer "compute-sanitizer: memcheck and racecheck" run_sanitizer
step recorder "the recorder beside ncu" run_recorder
step agree "compute-sanitizer and the planted mistakes" run_agree
step peers "PyTorch" run_peers
step curves "training in four number formats" run_curves
step bench "benchmarks" run_bench

printf '\n'
cat "$out/summary.txt"
echo "Everything is in $out. Tables from it: ./run bench gpu --from $out/bench.json --peers $out/peers.json --curves $out --write"
[[ "${results[*]}" != *FAILED* ]]
