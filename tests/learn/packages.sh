# A bare machine: ./run installs every package that planning the build asks for. What it forgot, CMake would download.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
asked=$(sed -n 's/^ *tpp_pin([a-z0-9]* \([a-z0-9.+-]*\) https.*/\1/p' "$root/cmake/Dependencies.cmake")
installed=$(sed -n "/^packages_build='/,/'\$/p" "$root/run" | sed "s/^packages_build='//; s/|.*//")
bad=0 count=0
for package in $asked; do
  count=$((count + 1))
  grep -qxF "$package" <<<"$installed" || { echo "WRONG: cmake/Dependencies.cmake asks for $package, and ./run does not install it"; bad=1; }
done
[ "$count" -ge 8 ] || { echo "WRONG: only $count packages found: does this test look at anything?"; bad=1; }
exit "$bad"
