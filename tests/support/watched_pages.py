"""What a browser page is watched for: complaints on its console, strangers it talks to, its weight."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

HEADERS = 400
"""About what the headers of one answer weigh, which the browser does not tell."""

ICON = 600
"""What the icon weighs at most: headless browsers do not fetch it."""

WEIGHT = """() => performance.getEntries()
    .filter(entry => entry.entryType === 'navigation' || entry.entryType === 'resource')
    .map(entry => entry.encodedBodySize)"""


@dataclass
class Watched:
    """Ears at every page of one browser context."""

    page: Page
    origins: Sequence[str]
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    refused_documents: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._see_request)
        self.page.on("response", self._see_response)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.location.get('url', '')} {message.text}")

    def _see_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" not in self.origins and parts.scheme != "data":
            self.strangers.append(request.url)

    def _see_response(self, response: Response) -> None:
        if response.status >= 400 and response.request.is_navigation_request():
            self.refused_documents.add(response.url)

    def check(self) -> None:
        """Check that nothing was complained about and nobody else was talked to.

        A page that is itself a refusal (400, 403 …) is no complaint, although the console notes it.
        """
        complaints = [
            complaint
            for complaint in self.complaints
            if not (
                complaint.split(" ")[0] in self.refused_documents and "Failed to load resource" in complaint
            )
        ]
        assert complaints == []
        assert self.strangers == []


def weight(page: Page) -> int:
    """Return the bytes of the page shown now with everything in it, as a first visit transfers them."""
    sizes: list[int] = page.evaluate(WEIGHT)
    return sum(size + HEADERS for size in sizes) + ICON


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than its window; people should never scroll sideways."""
    wider: int = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    return wider
