import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.entities import tidy
from sandbox.telegram.errors import ApiError
from sandbox.telegram.html import parse_html
from sandbox.telegram.render import render_html


def entities(source):
    formatted = tidy(parse_html(source))
    return formatted.text, [
        (e["type"], e["offset"], e["length"], *list(e.values())[3:]) for e in formatted.entities
    ]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("<b>a</b><strong>b</strong>", "ab", [("bold", 0, 1), ("bold", 1, 1)]),
        ("<i>a</i> <em>b</em>", "a b", [("italic", 0, 1), ("italic", 2, 1)]),
        ("<u>a</u><ins>b</ins>", "ab", [("underline", 0, 1), ("underline", 1, 1)]),
        ("<s>a</s>", "a", [("strikethrough", 0, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [("spoiler", 0, 1)]),
        ("<tg-spoiler>a</tg-spoiler>", "a", [("spoiler", 0, 1)]),
        ("<code>a &lt; b</code>", "a < b", [("code", 0, 5)]),
        ("<pre>x</pre>", "x", [("pre", 0, 1)]),
        (
            '<pre><code class="language-python">x</code></pre>',
            "x",
            [("pre", 0, 1, "python")],
        ),
        (
            '<a href="https://a.b/?x=1&amp;y=2">l</a>',
            "l",
            [("text_link", 0, 1, "https://a.b/?x=1&y=2")],
        ),
        ("<blockquote>q</blockquote>", "q", [("blockquote", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("😀<b>x</b>", "😀x", [("bold", 2, 1)]),
        ("  <b> x </b> ", "x", [("bold", 0, 1)]),
        ("<code><b>x</b></code>", "x", [("code", 0, 1)]),
        ("<b>a<code>x</code>b</b>", "axb", [("bold", 0, 1), ("code", 1, 1), ("bold", 2, 1)]),
        ("<pre>/start a@b.co</pre>", "/start a@b.co", [("pre", 0, 13)]),
        ("a & b &copy; &#65;&#x42; &quot;", 'a & b &copy; AB "', []),
        ("<B>x</b>", "x", [("bold", 0, 1)]),
        ("/start now", "/start now", [("bot_command", 0, 6)]),
        ("see https://a.b/c.", "see https://a.b/c.", [("url", 4, 13)]),
    ],
)
def test_html_becomes_text_and_entities(source, text, expected):
    assert entities(source) == (text, expected)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("é <3 x>", 'Unsupported start tag "3" at byte offset 3'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("<br>", 'Unsupported start tag "br" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href=x/y>l</a>", "Unexpected end of name token at byte offset 9"),
        ('<tg-emoji emoji-id="x">👍</tg-emoji>', "Invalid custom emoji identifier specified"),
    ],
)
def test_broken_html_is_refused_in_the_words_of_the_original(source, reason):
    with pytest.raises(ApiError) as refusal:
        parse_html(source)

    assert refusal.value.description == f"Bad Request: can't parse entities: {reason}"


def render(source):
    formatted = tidy(parse_html(source))
    return render_html(formatted.text, formatted.entities)


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<b>a &lt;script&gt;</b>\nb", "<b>a &lt;script&gt;</b>\nb"),
        ("<b>a<i>b</i></b>c", "<b>a<i>b</i></b>c"),
        ("😀<code>&amp;</code>😀", "😀<code>&amp;</code>😀"),
        (
            '<a href="https://a.b/&quot;on=x">l</a>',
            '<a href="https://a.b/&quot;on=x" target="_blank" rel="noopener noreferrer">l</a>',
        ),
        ("<tg-spoiler>x</tg-spoiler>", '<span class="spoiler">x</span>'),
        ("<pre>a\nb</pre>", "<pre>a\nb</pre>"),
    ],
)
def test_entities_become_html_a_page_may_insert(source, html):
    assert render(source) == html


def test_a_script_link_is_never_rendered_as_a_link():
    entity = {"type": "text_link", "offset": 0, "length": 1, "url": "javascript:alert(1)"}

    assert render_html("x", [entity]) == '<span class="text-link">x</span>'


PIECES = ["<b>", "</b>", "<a href=", '"', "'", ">", "<", "/", "&amp;", "&", "#", "<pre>", "</pre>"]
PIECES += ["😀", "x", " ", "=", "</", "<blockquote expandable>", "</blockquote>", "é"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_source_is_parsed_or_refused_and_never_renders_a_foreign_tag(source):
    try:
        html = render(source)
    except ApiError:
        return
    tags = re.findall(r"<(/?\w+)", html)
    assert {tag.strip("/") for tag in tags} <= {"b", "a", "pre", "blockquote"}
    assert sum(not tag.startswith("/") for tag in tags) * 2 == len(tags)


@given(
    st.text(max_size=12),
    st.lists(
        st.tuples(
            st.sampled_from(["bold", "italic", "code", "pre", "spoiler"]),
            st.integers(0, 14),
            st.integers(1, 14),
        ),
        max_size=5,
    ),
)
def test_overlapping_entities_render_as_nested_html_with_the_text_intact(text, ranges):
    found = [{"type": kind, "offset": o, "length": n} for kind, o, n in ranges]

    html = render_html(text, found)

    assert re.sub(r"<[^>]*>", "", html).count("&lt;") == text.count("<")
    stack = []
    for closing, name in re.findall(r"<(/?)(\w+)", html):
        if closing:
            assert stack.pop() == name
        else:
            stack.append(name)
    assert stack == []
