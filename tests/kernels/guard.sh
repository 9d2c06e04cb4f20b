#!/usr/bin/env bash
# Does nvcc make of a twin what the twin claims? Compiles kernels/<op>/*.cu to PTX, without warnings, and looks for the
# instructions of its claims. A claim is a line of a .cu or .cuh file there:
#
#   // guard: rmsnorm_forward_v3 has ld.global.v4 st.global.v4
#
# It says: of the kernels whose (mangled) name matches this extended regular expression, there is one that has all these
# instructions; and where kernels of that name take bfloat16, one of those has them as well. Between the words of an
# instruction PTX may have more (ld.global.nc.v4 is a ld.global.v4). Without claims, compiling is the test.
#
#   guard.sh NVCC ARCHITECTURE OP OUT-FOLDER         guard.sh nvcc 80 rmsnorm /tmp/ptx
#
# Exit code 4: there is no nvcc.
set -uo pipefail
nvcc=$1 architecture=$2 op=$3 out=$4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
command -v "$nvcc" >/dev/null || { echo "SKIPPED: there is no nvcc here"; exit 4; }
mkdir -p "$out" || exit 1

options=(-ptx "-arch=sm_$architecture" -std=c++20 -O3 --expt-relaxed-constexpr -Werror all-warnings "-I$root")
[ -e "$(dirname "$(readlink -f "$(command -v "$nvcc")")")/../include/cublasLt.h" ] && options+=(-DTPP_HAS_CUBLASLT=1)
shopt -s nullglob
assembly=()
for source in "$root/kernels/$op"/*.cu; do
  ptx=$out/$op-$(basename "$source" .cu).$architecture.ptx
  assembly+=("$ptx")
  if [ -e "$ptx" ] && [ -z "$(find "$root/kernels" -newer "$ptx" -name '*.[ch]*' -print -quit)" ]; then continue; fi
  rm -f "$ptx"
  "$nvcc" "${options[@]}" "$source" -o "$ptx.part" || { echo "nvcc does not compile kernels/$op/$(basename "$source")"; exit 1; }
  mv "$ptx.part" "$ptx"
done
[ ${#assembly[@]} -gt 0 ] || { echo "kernels/$op has no .cu"; exit 1; }

claims=$(grep -hE '^ *// guard:' "$root/kernels/$op"/*.cu "$root/kernels/$op"/*.cuh 2>/dev/null)
[ -n "$claims" ] || { echo "nvcc compiles it; it claims nothing"; exit 0; }

failed=0 checked=0
while read -r _ _ pattern has instructions; do
  if [ "$has" != has ] || [ -z "$instructions" ]; then
    echo "kernels/$op: '// guard: $pattern $has $instructions' is not of the form '// guard: KERNEL has INSTRUCTION…'"
    failed=1
    continue
  fi
  # An instruction's pattern: ld.global.v4 may have words before its last
  expressions=''
  for instruction in $instructions; do
    first=${instruction%.v[0-9]} last=${instruction##*.}
    expression=${first//./\\\\.}
    [ "$first" = "$instruction" ] || expression+="(\\\\.[A-Za-z0-9_:]+)*\\\\.$last"
    expressions+="$expression "
  done
  awk -v kernel="$pattern" -v names="$instructions" -v expressions="$expressions" '
    BEGIN { count = split(expressions, expression, " "); split(names, name, " ") }
    function finish(  i, all, kind) {
      if (entry == "") return
      kind = entry ~ /__nv_bfloat16/
      matching[kind]++
      all = 1
      for (i = 1; i <= count; i++) {
        if (i in seen) has[kind, i]++; else all = 0
      }
      if (all) complete[kind]++
      entry = ""
    }
    /\.entry|\.func/ {
      finish()
      split("", seen)
      line = $0
      if (line ~ /\.entry/) {
        sub(/.*\.entry +/, "", line); sub(/[ (].*/, "", line)
        if (line ~ kernel) entry = line
      }
    }
    entry != "" { for (i = 1; i <= count; i++) if (!(i in seen) && $0 ~ "[ \t]" expression[i]) seen[i] = 1 }
    END {
      finish()
      if (!(matching[0] + matching[1])) { print "  no kernel has \"" kernel "\" in its name"; exit 1 }
      bad = 0
      for (kind = 0; kind < 2; kind++) {
        if (!matching[kind]) continue
        printf "  %s, %s: %d of %d kernels", kernel, (kind ? "bfloat16" : "other storage"), complete[kind], matching[kind]
        for (i = 1; i <= count; i++) printf "%s %s in %d", (i > 1 ? "," : ":"), name[i], has[kind, i]
        if (!complete[kind]) { printf "  <- claimed, and not there"; bad = 1 }
        printf "\n"
      }
      exit bad
    }' "${assembly[@]}" || failed=1
  checked=$((checked + 1))
done <<<"$claims"
echo "kernels/$op, sm_$architecture: $checked claims looked at"
exit $failed
