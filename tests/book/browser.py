#!/usr/bin/env python3
"""A look at the HTML book with a real browser: links, formulas, a narrow screen, contrast. The standard library alone.

    browser.py BOOK                          check every page; exit code 1 when something is wrong
    browser.py BOOK --shoot PAGE OUT.png     a picture: --width 1280 --height 900 --dark --at '#the-kernel' --full
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NARROW = 360


class Browser:
    """Chromium by its debugging protocol over a pipe: messages in JSON, a zero byte after each."""

    def __init__(self, program):
        to_browser, self.out = os.pipe()
        self.inp, from_browser = os.pipe()
        self.profile = tempfile.mkdtemp(prefix="book-browser-")

        def plumb():  # the browser reads 3 and writes 4
            os.dup2(to_browser, 103)
            os.dup2(from_browser, 104)
            os.dup2(103, 3)
            os.dup2(104, 4)

        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", "--no-first-run",
                 "--disable-dev-shm-usage", "--disable-background-networking", "--user-data-dir=" + self.profile, "about:blank"]
        self.process = subprocess.Popen([program] + flags, preexec_fn=plumb, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.inp, 1 << 20)
            if not piece:
                raise RuntimeError("the browser went away")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.receive())

    def evaluate(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", "the script failed"))
        return result["result"].get("value")

    def screen(self, width, height, mobile=False, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)

    def dark(self, on):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def complaints(self):
        """What the browser itself found wrong with the page."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append("script error: " + parameters["exceptionDetails"]["text"])
            elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))
            elif event.get("method") == "Network.loadingFailed" and not parameters.get("canceled"):
                found.append("a part of the page could not be loaded: " + parameters["errorText"])
            elif event.get("method") == "Network.requestWillBeSent" and parameters["request"]["url"].startswith("http"):
                found.append("the page wants the network: " + parameters["request"]["url"])
        return found

    def close(self):
        try:
            self.call("Browser.close")
        except (RuntimeError, OSError):
            pass
        self.process.wait(timeout=20)
        shutil.rmtree(self.profile, ignore_errors=True)


# Runs in the page: everything that can be seen from inside of it.
LOOK = r"""
(() => {
  const problems = [];
  for (const image of document.images) image.loading = 'eager';
  const wide = document.documentElement.scrollWidth;
  const narrow = NARROW;  // a phone's innerWidth grows with what is too wide
  if (wide > narrow) {
    let widest = null, right = narrow;
    for (const element of document.querySelectorAll('main *, nav *')) {
      let inside = false;
      for (let p = element.parentElement; p; p = p.parentElement) inside ||= getComputedStyle(p).overflowX !== 'visible';
      const edge = element.getBoundingClientRect().right;
      if (!inside && edge > right + 0.5) { right = edge; widest = element; }
    }
    problems.push(`the page is ${wide} px wide on a screen of ${narrow}` +
                  (widest ? `, because of <${widest.localName} class="${widest.className}">: ${widest.textContent.slice(0, 60)}` : ''));
  }
  let formulas = 0;
  for (const formula of document.querySelectorAll('math')) {
    const box = formula.getBoundingClientRect();
    ++formulas;
    const hidden = formula.closest('details:not([open])');
    if (!hidden && !(box.width > 0 && box.height > 0)) problems.push('a formula has no size: ' + formula.getAttribute('alttext'));
    for (const cell of formula.querySelectorAll('mtd')) {
      if (getComputedStyle(cell).display !== 'table-cell') problems.push('a cell of a formula is no cell: ' + formula.getAttribute('alttext'));
    }
    if (formula.querySelector('merror')) problems.push('a formula has a mistake: ' + formula.getAttribute('alttext'));
    if (formula.textContent.includes('\\')) problems.push('TeX is left in a formula: ' + formula.textContent);
  }
  for (const image of document.images) {
    if (!image.hasAttribute('alt') || !image.alt.trim()) problems.push('a picture without words: ' + image.src);
  }
  const text = document.querySelector('main').innerText;
  for (const left of ['$`', '`$', '<!--', '-->', '```']) {
    for (const element of document.querySelectorAll('main p, main li, main td')) {
      const copy = element.cloneNode(true);
      copy.querySelectorAll('code, pre, math').forEach((e) => e.remove());
      if (copy.textContent.includes(left)) { problems.push(`Markdown is left in the text (${left}): ` + copy.textContent.slice(0, 80)); break; }
    }
  }
  for (const code of document.querySelectorAll('pre')) {
    const same = (e) => getComputedStyle(e).fontFamily === getComputedStyle(code).fontFamily && getComputedStyle(e).fontSize === getComputedStyle(code).fontSize;
    const other = [...code.querySelectorAll('*')].find((e) => !same(e));
    if (other) { problems.push('code in another font: ' + other.textContent.slice(0, 60)); break; }
  }
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  const doubled = ids.filter((id, i) => ids.indexOf(id) !== i && ids.length < 3000);
  if (doubled.length) problems.push('two places have the name ' + doubled[0]);
  if (!document.documentElement.lang) problems.push('the page has no language');
  if (!document.title.trim()) problems.push('the page has no title');
  if (document.querySelectorAll('h1').length !== 1) problems.push('the page has ' + document.querySelectorAll('h1').length + ' first headings');
  return {problems, ids, formulas, links: [...document.links].map((a) => [a.href, a.textContent.trim().slice(0, 60)])};
})()
"""

IMAGES = r"""
Promise.all([...document.images].map((image) => { image.loading = 'eager'; return image.decode().then(() => null, () => 'a picture does not show: ' + image.src); }))
  .then((all) => all.filter((e) => e))
"""

# Letters against the ground behind them, everywhere on the page: at least 4.5 to 1.
CONTRAST = r"""
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const numbers = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const light = (c) => { const l = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
  const seen = new Map(), worst = [];
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    if (element.classList.contains('self')) continue;  // shown under the pointer only
    const style = getComputedStyle(element);
    let ground = [0, 0, 0, 0], p = element;
    for (; p && ground[3] < 1; p = p.parentElement) { const c = numbers(getComputedStyle(p).backgroundColor); if (c[3] > 0.5) ground = [...c.slice(0, 3), 1]; }
    if (ground[3] < 1) ground = numbers(getComputedStyle(document.documentElement).backgroundColor)[3] ? numbers(getComputedStyle(document.documentElement).backgroundColor) : [255, 255, 255, 1];
    const key = style.color + ground;
    if (seen.has(key)) continue;
    const a = light(numbers(style.color)), b = light(ground);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen.set(key, ratio);
    if (!(ratio >= 4.5)) worst.push(`contrast of ${ratio.toFixed(2)} in <${element.localName} class="${element.className}">: ${element.textContent.trim().slice(0, 40)}`);
  }
  return worst;
})()
"""


def pages_of(book):
    return sorted(p.relative_to(book).as_posix() for p in book.rglob("*.html"))


def check(browser, book):
    problems, anchors, links, formulas = [], {}, {}, 0
    pages = pages_of(book)
    if "index.html" not in pages:
        return [f"{book} has no index.html"], ""
    browser.screen(NARROW, 800, mobile=True)
    browser.dark(False)
    for page in pages:
        browser.open((book / page).as_uri())
        look = browser.evaluate(LOOK.replace("NARROW", str(NARROW)))
        found = look["problems"] + browser.evaluate(IMAGES) + browser.evaluate(CONTRAST) + browser.complaints()
        browser.dark(True)
        found += ["in the dark: " + c for c in browser.evaluate(CONTRAST)]
        browser.dark(False)
        problems += [f"{page}: {p}" for p in found]
        anchors[page], links[page] = set(look["ids"]), look["links"]
        formulas += look["formulas"]

    root, count = book.as_uri() + "/", 0
    for page, here in links.items():
        for address, words in here:
            if not address.startswith("file:"):
                continue
            count += 1
            file, _, anchor = address.partition("#")
            if not file.startswith(root):
                problems.append(f"{page}: the link '{words}' leaves the book: {address}")
                continue
            to = urllib.parse.unquote(file[len(root):])
            if to in anchors:
                if anchor and urllib.parse.unquote(anchor) not in anchors[to]:
                    problems.append(f"{page}: the link '{words}' names a place that is not there: {to}#{anchor}")
            elif not (book / to).is_file():
                problems.append(f"{page}: the link '{words}' is dead: {to}")
    reached, front = {"index.html"}, ["index.html"]
    while front:
        for address, _ in links[front.pop()]:
            to = urllib.parse.unquote(address.partition("#")[0][len(root):]) if address.startswith(root) else ""
            if to in links and to not in reached:
                reached.add(to)
                front.append(to)
    problems += [f"{page}: no link leads here" for page in pages if page not in reached]
    return problems, f"{len(pages)} pages, {count} links, {formulas} formulas"


def shoot(browser, book, options):
    browser.screen(options.width, options.height, mobile=options.width < 600, scale=options.scale)
    browser.dark(options.dark)
    browser.open((book / options.shoot[0]).as_uri() + (options.at or ""))
    browser.evaluate(IMAGES)
    if options.scroll:
        browser.evaluate(f"scrollTo(0, {options.scroll})")
    picture = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=options.full)
    pathlib.Path(options.shoot[1]).write_bytes(base64.b64decode(picture["data"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("book", type=pathlib.Path)
    parser.add_argument("--shoot", nargs=2, metavar=("PAGE", "PNG"))
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--scroll", type=int, default=0)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--at", help="an anchor: #the-kernel")
    options = parser.parse_args()
    program = os.environ.get("BROWSER_PROGRAM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        print("skipped: there is no Chromium here (Debian: apt-get install chromium)")
        return 4
    browser = Browser(program)
    try:
        if options.shoot:
            shoot(browser, options.book.resolve(), options)
            return 0
        problems, summary = check(browser, options.book.resolve())
    finally:
        browser.close()
    for problem in problems:
        print(problem)
    print(f"{summary}, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
