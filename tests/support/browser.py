# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Chromium without a window, for tests of pages: what it shows, what it asks the network for, what axe says."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

_NO_SCRIPTS = {"profile.managed_default_content_settings.javascript": 2}


_QUIET = ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-extensions",
          "--no-default-browser-check", "--disable-default-apps", "--force-color-profile=srgb",
          "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")  # fmt: skip


class Browser:
    """The browser, with what tests ask of it."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, fragment: str = "") -> None:
        """Load the file, whatever was there before."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get(page.as_uri() + (f"#{fragment}" if fragment else ""))

    def look(self, scheme: str = "light", width: int = 1280, height: int = 1000) -> None:
        """Light or dark, in a window of that size."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def all(self, selector: str) -> list[WebElement]:
        """The elements that a CSS selector names."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """The one element that a CSS selector names."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector}"
        return found[0]

    def run(self, script: str, *arguments: object) -> Any:
        """What a function's body returns, run in the page."""
        return self.driver.execute_script(script, *arguments)

    def requests(self) -> list[str]:
        """All URLs that were asked for since the page was opened, the page's own too."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]  # fmt: skip

    def complaints(self) -> list[str]:
        """What the browser's console says: violations of the policy, errors of scripts."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def load_seconds(self) -> float:
        """From the start of loading to the end of the load event."""
        script = "const e = performance.getEntriesByType('navigation')[0]; return e.loadEventEnd - e.startTime;"
        return float(self.run(script)) / 1000

    def axe(self) -> list[str]:
        """What axe-core finds that is serious or critical: rule, and the first elements."""
        self.run(_axe_source())
        report = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']}).then(done, (error) => done({failed: String(error)}));"
        )
        assert "violations" in report, report
        assert report["passes"], "axe looked at nothing"
        return [
            f"{found['id']} ({found['impact']}): {[one['html'][:200] for one in found['nodes'][:3]]}"
            for found in report["violations"]
            if found["impact"] in ("serious", "critical")
        ]

    def picture(self, file: Path) -> None:
        """A screenshot of the window."""
        assert self.driver.save_screenshot(str(file))


@contextmanager
def open_browser(scripts: bool = True) -> Iterator[Browser]:
    """A browser of its own, gone after the block; the test is skipped, saying so, where there is no Chromium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs chromium and chromedriver (apt install chromium chromium-driver)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options = ChromeOptions()
        options.binary_location = chromium
        for argument in (*_QUIET, f"--user-data-dir={folder}/profile"):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        if not scripts:
            options.add_experimental_option("prefs", _NO_SCRIPTS)
        browser = Chrome(options, Service(driver, env={**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder}))
        try:
            browser.set_page_load_timeout(60)
            browser.set_script_timeout(60)
            yield Browser(browser)
        finally:
            browser.quit()


@cache
def _axe_source() -> str:
    return (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
