"""A page in headless Chromium, driven over the debugging pipe of Chromium's own protocol (no driver, no package).

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SECONDS = 60.0
_KEYS = {
    "Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "Tab": ("Tab", 9, ""), "Space": (" ", 32, " "),
    "ArrowLeft": ("ArrowLeft", 37, ""), "ArrowUp": ("ArrowUp", 38, ""), "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""), "Home": ("Home", 36, ""), "End": ("End", 35, ""),
}  # fmt: skip


def program() -> str | None:
    """Return the path of an installed Chromium, None without one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One page. Commands wait for their answer; what the page writes to its console or throws is in `problems`."""

    def __init__(self, folder: Path, *, width: int = 1200, height: int = 800, dark: bool = False) -> None:
        found = program()
        assert found is not None
        from_us, to_browser = os.pipe()
        self._answers, to_us = os.pipe()
        self._commands = to_browser
        environment = os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
        flags = [
            "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--mute-audio",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}",
        ]  # fmt: skip
        if os.geteuid() == 0:
            flags.append("--no-sandbox")

        def with_pipes() -> None:  # between fork and exec, so it does nothing else
            # Chromium reads commands from descriptor 3 and writes to 4.
            read, write = os.dup(from_us), os.dup(to_us)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self._process = subprocess.Popen(
            [found, *flags, "about:blank"], env=environment, close_fds=False, preexec_fn=with_pipes,  # noqa: PLW1509
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(from_us)
        os.close(to_us)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._session = ""
        target = self._wait_for_page()
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.prefer("dark" if dark else "light")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._commands)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """Set the size of the page; a phone has a touch screen and two pixels for each of them."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )  # fmt: skip
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    def prefer(self, scheme: str, *, reduced_motion: bool = True) -> None:
        """Set what the user prefers: light or dark, and motion."""
        motion = "reduce" if reduced_motion else "no-preference"
        features = [
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion},
        ]  # fmt: skip
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, path: Path) -> None:
        """Open a page from a file and wait until it is loaded."""
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        self.until(lambda: any(one["method"] == "Page.loadEventFired" for one in self.events), "the page to load")

    def downloads_to(self, folder: Path) -> None:
        """Save downloads in a folder without a question."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; promises are awaited."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other: characters, or names such as Enter."""
        for key in keys:
            name, code, text = _KEYS.get(key, (key, ord(key.upper()[0]), key))
            event = {"key": name, "windowsVirtualKeyCode": code, "text": text}
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **event)
            self.call("Input.dispatchKeyEvent", type="keyUp", **(event | {"text": ""}))

    def type(self, text: str) -> None:
        """Type text where the focus is."""
        self.press(*text)

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        x, y = self.run(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path: Path) -> None:
        """Write what is visible to a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def wait_for(self, script: str) -> None:
        """Wait until an expression in the page is true."""
        self.until(lambda: self.run(f"Boolean({script})"), script)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the protocol and return its result."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def _wait_for_page(self) -> str:
        found: list[str] = []

        def is_there() -> bool:
            targets = self.call("Target.getTargets")["targetInfos"]
            found[:] = [one["targetId"] for one in targets if one["type"] == "page"]
            return bool(found)

        self.until(is_there, "a page")
        return found[0]

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until something is so; `what` names it."""
        end = time.monotonic() + _SECONDS
        while not done():
            assert time.monotonic() < end, f"waited in vain for {what}"
            self.call("Target.getTargets")
            time.sleep(0.02)

    def _read(self) -> dict[str, Any]:
        """Return the next answer; events are remembered."""
        end = time.monotonic() + _SECONDS
        while True:
            message, separator, rest = self._buffer.partition(b"\0")
            if separator:
                self._buffer = rest
                parsed: dict[str, Any] = json.loads(message)
                if "id" in parsed:
                    return parsed
                self._note(parsed)
                continue
            ready, _, _ = select.select([self._answers], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            chunk = os.read(self._answers, 1 << 20)
            assert chunk, "the browser ended"
            self._buffer += chunk

    def _note(self, event: dict[str, Any]) -> None:
        method, given = event["method"], event.get("params", {})
        self.events.append(event)
        if method == "Runtime.exceptionThrown":
            self.problems.append(str(given["exceptionDetails"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.problems.append(given["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
