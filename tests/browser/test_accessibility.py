"""Names for everything one can use, landmarks, and letters one can read."""

import base64
import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import ChatPage
from tests.browser.chromium import both, wait_until_still

pytestmark = pytest.mark.browser
USED = "button|link|textbox|searchbox|checkbox|switch|radio|tab|combobox|option|menuitem|img"
NAMELESS = re.compile(rf"^\s*- ({USED})(?=\s*(\[|:|$))", re.MULTILINE)
READABLE = 4.5

# The shade most of an element's place has is what its letters stand on.
_CONTRASTS = """
async ({ picture, places }) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const paperOf = ({ x, y, width, height }) => {
    const { data } = pen.getImageData(x, y, width, height);
    const seen = new Map();
    for (let at = 0; at < data.length; at += 4) {
      const colour = [data[at], data[at + 1], data[at + 2]];
      const shade = colour.map((part) => part >> 5).join();
      if (!seen.has(shade)) seen.set(shade, []);
      seen.get(shade).push(colour);
    }
    const most = [...seen.values()].sort((a, b) => b.length - a.length)[0];
    return [0, 1, 2].map((part) => most.reduce((sum, each) => sum + each[part], 0) / most.length);
  };
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return places.map(({ box, ink }) => {
    const letters = ink.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const [high, low] = [light(paperOf(box)), light(letters)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  });
}
"""
_INK = "element => getComputedStyle(element).color"


def hard_to_read(chat: ChatPage, places: dict[str, Locator]) -> dict[str, float]:
    """Return the contrast, as it is painted, of letters that do not stand out enough."""
    wait_until_still(chat.page)
    found = []
    for name, place in places.items():
        box = place.bounding_box()
        assert box, name
        found.append({"box": box, "ink": place.evaluate(_INK)})
    picture = base64.b64encode(chat.page.screenshot(animations="disabled")).decode()
    with chat.page.context.new_page() as judge:
        contrasts = judge.evaluate(_CONTRASTS, {"picture": picture, "places": found})
    measured = dict(zip(places, (round(each, 2) for each in contrasts), strict=True))
    return {name: each for name, each in measured.items() if each < READABLE}


@both
def test_everything_that_can_be_used_has_a_name(chat: ChatPage) -> None:
    page = chat.page
    assert NAMELESS.findall(page.locator("body").aria_snapshot()) == []
    chat.new_customer()
    chat.start()
    chat.ask_for_qr(106)
    assert NAMELESS.findall(page.locator("body").aria_snapshot()) == []
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.get_by_role("log", name="Messages")).to_be_visible()
    chat.bank.open()
    assert NAMELESS.findall(page.locator("body").aria_snapshot()) == []
    expect(page.get_by_role("complementary", name="Bank app")).to_be_visible()
    chat.bank.close()
    chat.press("Batalkan")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_can_be_read(chat: ChatPage, scheme: Literal["light", "dark"]) -> None:
    page = chat.page
    page.emulate_media(color_scheme=scheme)
    chat.new_customer()
    chat.start()
    own = chat.log.locator('article[data-from="me"]').last
    day = chat.log.locator(".day span")
    expect(day).to_have_text("Today")
    own.scroll_into_view_if_needed()
    bad = hard_to_read(
        chat, {"own text": own.locator(".text"), "own time": own.locator("time"), "day": day}
    )
    chat.ask_for_qr(106)
    chat.shoot(scheme)
    row = chat.row("Budi Santoso")
    qr = chat.message("Scan kode QR ini")
    bank = chat.bank.panel
    bad |= hard_to_read(
        chat,
        {
            "chat's name": row.locator("strong"),
            "chat's preview": row.locator(".preview"),
            "role": row.locator(".role"),
            "open chat's preview": chat.chats.locator("[aria-current] .preview"),
            "peer": page.locator("#peer-name"),
            "status": chat.status,
            "text": qr.locator("b").first,
            "code": qr.locator("code").first,
            "time": qr.locator("time"),
            "inline button": chat.button("Batalkan"),
            "inline link": qr.get_by_role("link", name="Checkout Page"),
            "reply key": chat.key("LIST PRODUK"),
            "menu": page.get_by_role("button", name="Commands"),
            "new customer": page.get_by_role("button", name="New customer"),
            "bank's heading": bank.get_by_role("heading", name="Bank Contoh"),
            "bank's note": bank.get_by_text("A pretend bank"),
            "bank's section": bank.get_by_role("heading", name="To pay"),
            "bank's button": bank.get_by_role("button", name="Pay", exact=True).first,
            "bank's small print": bank.locator("li small").first,
        },
    )
    chat.press("Batalkan")
    assert bad == {}
