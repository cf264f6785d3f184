"""The page is safe to open, the same for the same content, and readable."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from pozytywka_spark.reports.page import Page, data_uri

HOSTILE = '<script>alert("x")</script>&"\''


class Tags(HTMLParser):
    """All tags with attributes, and the text outside of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def bars() -> Figure:
    figure = Figure(figsize=(3, 2))
    figure.subplots().bar(["a", "b"], [1, 2])
    return figure


def test_everything_that_comes_from_data_is_escaped() -> None:
    page = Page(HOSTILE, subtitle=HOSTILE)
    section = page.section(HOSTILE, anchor=HOSTILE).text(HOSTILE).tiles({HOSTILE: HOSTILE})
    section.table([{HOSTILE: HOSTILE, "severity": HOSTILE}], caption=HOSTILE).table([], empty=HOSTILE)
    section.figure(bars(), alt=HOSTILE, caption=HOSTILE)
    section.bullets([HOSTILE]).figure(bars(), alt=HOSTILE, caption=HOSTILE)

    parsed = Tags(page.render())

    assert not [tag for tag, _ in parsed.tags if tag == "script"]
    assert parsed.text.count(HOSTILE) == 15
    assert {name for _, attrs in parsed.tags for name in attrs} <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "id", "alt", "src", "href"
    }  # fmt: skip


@pytest.mark.thorough
def test_nothing_is_fetched_from_anywhere() -> None:
    page = Page("t")
    page.section("s").figure(bars(), alt="bars").figure(bars(), alt="bars", kind="png")

    addresses = [a for _, attrs in Tags(page.render()).tags for k, a in attrs.items() if k in ("src", "href")]

    assert [address.split(",")[0] for address in addresses] == [
        "data:image/svg+xml;base64",
        "data:image/png;base64",
    ]
    assert "http" not in re.sub(r"data:[^\"]+|http-equiv", "", page.render())


def test_equal_content_gives_equal_bytes() -> None:
    assert data_uri(bars()) == data_uri(bars())
    assert data_uri(bars(), "png") == data_uri(bars(), "png")


def test_values_are_written_for_people() -> None:
    page = Page("t")
    page.section("s").table(
        [
            {
                "check": "rows",
                "severity": "error",
                "count": 10191762,
                "rate": 0.123456,
                "on": date(2023, 1, 3),
            },
            {"check": None, "severity": "ok", "count": None, "rate": 1234.5678, "on": True},
        ]
    )

    body = re.search(r"<tbody>(.*)</tbody>", page.render())

    assert body is not None
    assert body[1] == (
        '<tr><td>rows</td><td><span class="badge error">error</span></td><td class="num">10,191,762</td>'
        '<td class="num">0.1235</td><td>2023-01-03</td></tr>'
        '<tr><td>–</td><td><span class="badge ok">ok</span></td><td class="num">–</td>'
        '<td class="num">1,234.6</td><td>yes</td></tr>'
    )


def test_three_sections_get_an_index() -> None:
    page = Page("t")
    for title in ("Users & artists", "Events"):
        page.section(title)
    assert "<nav>" not in page.render()
    page.section("The end")
    assert '<a href="#users-artists">Users &amp; artists</a>' in page.render()
