#!/usr/bin/env bash
# The HTML book in a real browser: a small book with everything in it, the same with planted defects, then the whole book.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
book=${TPP_BOOK:-$root/build/bin/tpp-book}
fail() { echo "FAILED: $*" >&2; exit 1; }

command -v python3 >/dev/null || { echo "skipped: there is no python3 here"; exit 4; }
found=''
for browser in "${BROWSER_PROGRAM:-chromium}" chromium-browser google-chrome chrome; do
  command -v "$browser" >/dev/null && found=$browser && break
done
[ -n "$found" ] || { echo "skipped: there is no Chromium here (Debian: apt-get install chromium)"; exit 4; }
[ -x "$book" ] || fail "$book is not built"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo "A small book:"
TPP_ROOT=$here/small "$book" --check "$folder/small"
python3 "$here/browser.py" "$folder/small" || fail "the small book has mistakes"

# Each defect must be seen, by its sentence
planted() {  # planted WHAT SENTENCE FILE SED-EXPRESSION
  rm -rf "$folder/broken"
  cp -r "$folder/small" "$folder/broken"
  sed -i -E "$4" "$folder/broken/$3"
  ! cmp -s "$folder/small/$3" "$folder/broken/$3" || fail "the defect '$1' was not planted: $3 has changed its form"
  local out
  if out=$(python3 "$here/browser.py" "$folder/broken"); then fail "a defect was not seen: $1"; fi
  grep -qF "$2" <<<"$out" || fail "$1: not the sentence that was expected, but: $out"
  echo "seen: $1"
}
chapter=chapters/01_first/index.html
planted "a dead link" "is dead: chapters/09_none" $chapter 's|href="\.\./02_second/index\.html"|href="../09_none/index.html"|'
planted "a dead anchor" "names a place that is not there" $chapter 's|id="L5-L8"||; s|href="first\.h\.html#L5-L8"|href="first.h.html#L500"|'
planted "a formula that is not drawn" "a formula has no size" $chapter 's|<math |<math style="display:none" |'
planted "a formula's rows in pieces" "a cell of a formula is no cell" book.css 's|^mtd \{|mtd { display: block;|'
planted "code in two fonts" "code in another font" book.css 's|^pre \.k \{|pre .k { font-family: serif;|'
planted "TeX in a formula" "TeX is left in a formula" $chapter 's|<mn>2</mn>|<mn>\\\\frac</mn>|'
planted "a formula as raw text" "Markdown is left in the text" $chapter 's|A line with |A line with $`x`$ |'
planted "a table that widens the page" "px wide on a screen of" book.css 's|overflow-x: auto; margin: 1\.5em 0; scrollbar|overflow-x: visible; margin: 1.5em 0; scrollbar|'
planted "a picture that is missing" "a picture does not show" index.html 's|src="docs/waves\.svg"|src="docs/none.svg"|'
planted "letters too pale" "contrast of" book.css 's|--quiet: #5c6570|--quiet: #a0a0a0|'
planted "letters too pale in the dark" "in the dark: contrast of" book.css 's|--comment: #939eaa|--comment: #50565c|'
planted "a script's mistake" "script error" index.html 's|</body>|<script>nothing()</script></body>|'
planted "a font from the network" "the page wants the network" index.html 's|</head>|<link rel="stylesheet" href="http://127.0.0.1:9/font.css"></head>|'

echo "The whole book:"
TPP_ROOT=$root "$book" --check "$folder/book" || fail "the texts have broken links or formulas"
python3 "$here/browser.py" "$folder/book" || fail "the book has mistakes"
