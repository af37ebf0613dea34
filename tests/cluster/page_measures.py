"""Measures of a page in a browser: bars, pixels, sizes of text, and the text on paper."""

from base64 import b64encode
from io import BytesIO
from unicodedata import normalize

from playwright.sync_api import Browser, Locator, Page
from pypdf import PdfReader

BARS = ".mark-rect path"
"""Selector of the bars of chunks."""

A4_LANDSCAPE_PT = (842, 595)
"""Points of width and height of a landscape sheet."""

COUNT_PIXELS = """async ([picture, colour]) => {
  const answer = await fetch("data:image/png;base64," + picture);
  const image = await createImageBitmap(await answer.blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const wanted = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  let found = 0;
  for (let i = 0; i < data.length; i += 4)
    found += wanted.every((value, channel) => Math.abs(value - data[i + channel]) <= 2);
  return found;
}"""
"""Script that counts the pixels of a colour."""

SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll("figure svg text")]
  .filter((text) => text.checkVisibility())
  .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().d)
  .filter((size) => size > 0))"""
"""Script that measures texts of charts; an upright text has a height of 0 and is left out."""


def bars(page: Page) -> list[tuple[float, float]]:
    """Left edge and width in pixels of all bars."""
    boxes = page.locator(f".interactive {BARS}").evaluate_all(
        "bars => bars.map((bar) => bar.getBoundingClientRect()).map(({x, width}) => [x, width])"
    )
    return [(left, width) for left, width in boxes]


def pixels(browser: Browser, place: Locator, colour: str) -> int:
    """Number of pixels of this colour in a picture of the element, counted on another page."""
    picture = b64encode(place.screenshot()).decode()
    counter = browser.new_page()
    found: int = counter.evaluate(COUNT_PIXELS, [picture, colour])
    counter.close()
    return found


def smallest_text(page: Page) -> float:
    """Height in pixels of the smallest text of visible charts on the screen."""
    size: float = page.evaluate(SMALLEST_TEXT)
    return size


def printed_text(page: Page) -> str:
    """The text within the sheets of the printed page, without spaces and breaks of lines."""
    document = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True)))
    found: list[str] = []
    for sheet in document.pages:
        width, height = (float(side) for side in sheet.mediabox.upper_right)
        assert (round(width), round(height)) == A4_LANDSCAPE_PT

        def keep(text: str, page: list[float], line: list[float], *_: object) -> None:
            left = page[0] * line[4] + page[4]
            assert not text.strip() or left <= width  # noqa: B023 # called before the next sheet
            found.append(text)

        sheet.extract_text(visitor_text=keep)
    return without_spaces("".join(found))


def without_spaces(text: str) -> str:
    """The text without white space, and with two letters for each ligature."""
    return "".join(normalize("NFKC", text).split())
