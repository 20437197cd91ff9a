"""What a browser makes of a page: its forms with their fields and buttons, its links, its visible text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    form_id: str
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    checkboxes: dict[str, bool] = field(default_factory=dict)
    """Value of each checkbox, and whether it is ticked before anybody touched it."""
    data: dict[str, str] = field(default_factory=dict)
    """Its `data-` attributes, which a script reads."""


class Html(HTMLParser):
    """Read with `Html(response.text)`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.links: list[str] = []
        self.ids: dict[str, str] = {}
        self.lang = ""
        self._form: Form | None = None
        self._open_id: str | None = None
        self._is_style = False
        self._parts: list[str] = []
        self.feed(text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self._open_id = given["id"]
            self.ids[given["id"]] = ""
        if tag == "style":
            self._is_style = True
        elif tag == "html":
            self.lang = given.get("lang", "")
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "form":
            self._form = Form(given.get("id", ""), given["action"], given.get("method", "get"))
            self._form.data = {
                name.removeprefix("data-"): value for name, value in given.items() if name.startswith("data-")
            }
            self.forms[self._form.form_id] = self._form
        elif self._form is not None:
            self._take(tag, given, self._form)

    def _take(self, tag: str, given: dict[str, str], form: Form) -> None:
        if tag == "input" and given.get("type") == "checkbox":
            form.checkboxes[given["value"]] = "checked" in given
        elif tag == "input" and "name" in given:
            form.fields[given["name"]] = given.get("value", "")
        elif tag == "button" and "name" in given:
            form.buttons.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        self._open_id = None
        self._is_style = False
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._is_style:
            return
        self._parts.append(data)
        if self._open_id is not None:
            self.ids[self._open_id] += data
