from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.errors import ApiError
from sandbox.telegram.markdown import parse_markdown, parse_markdown_v2


def shape(formatted):
    return formatted.text, sorted(
        (e["offset"], e["length"], e["type"], *list(e.values())[3:]) for e in formatted.entities
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "*a* _b_ __c__ ~d~ ||e||",
            (
                "a b c d e",
                [
                    (0, 1, "bold"),
                    (2, 1, "italic"),
                    (4, 1, "underline"),
                    (6, 1, "strikethrough"),
                    (8, 1, "spoiler"),
                ],
            ),
        ),
        ("`a_b` ```py\nx\\`y```", ("a_b x`y", [(0, 3, "code"), (4, 3, "pre", "py")])),
        ("[l](https://a.b/\\)x)", ("l", [(0, 1, "text_link", "https://a.b/)x")])),
        ("1\\.5 \\- *x_y_*", ("1.5 - xy", [(6, 2, "bold"), (7, 1, "italic")])),
        (">q\n>r\nx", ("q\nr\nx", [(0, 3, "blockquote")])),
        ("![👍](tg://emoji?id=5)", ("👍", [(0, 2, "custom_emoji", "5")])),
    ],
)
def test_markdown_v2_becomes_text_and_entities(source, expected):
    assert shape(parse_markdown_v2(source)) == expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("é *x", "Can't find end of Bold entity at byte offset 3"),
        ("`x", "Can't find end of Code entity at byte offset 0"),
        ("[x](y", "Can't find end of a URL at byte offset 3"),
    ],
)
def test_broken_markdown_v2_is_refused(source, reason):
    with pytest.raises(ApiError) as refusal:
        parse_markdown_v2(source)

    assert refusal.value.description == f"Bad Request: can't parse entities: {reason}"


def test_legacy_markdown_becomes_text_and_entities():
    formatted = parse_markdown("*a* _b_ `c` [l](https://a.b) \\_ ```py\nx```")

    assert shape(formatted) == (
        "a b c l _ x",
        [
            (0, 1, "bold"),
            (2, 1, "italic"),
            (4, 1, "code"),
            (6, 1, "text_link", "https://a.b"),
            (10, 1, "pre", "py"),
        ],
    )


def test_broken_legacy_markdown_is_refused():
    with pytest.raises(ApiError, match="Can't find end of the entity starting at byte offset 2"):
        parse_markdown("a *b")


@given(st.lists(st.sampled_from(list("*_~`|[]()>!\\.ax\n😀")), max_size=14).map("".join))
def test_any_markdown_is_parsed_or_refused(source):
    for parse in (parse_markdown, parse_markdown_v2):
        with suppress(ApiError):
            parse(source)
