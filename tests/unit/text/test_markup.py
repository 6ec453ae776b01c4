"""Reading one value out of an HTML page."""

import pytest

from redeploy.text.markup import attribute, meta_content


@pytest.mark.parametrize(
    "tag",
    [
        b'<meta name="git-sha" content="1a2b3c4">',
        b"<META CONTENT=1a2b3c4 NAME=Git-Sha />",
        b"<meta property='git-sha' content='1a2b3c4'/>",
        b'<meta\n name = "git-sha"\n content = "1a2b3c4"\n>',
        b'<meta data-x="a > b" name=git-sha content=1a2b3c4>',
        b'<meta name=git-sha content=1a2b3c4><meta name=git-sha content="another">',
        b'<meta name=other content=x><meta name="git-sha"><meta name=git-sha content=1a2b3c4>',
    ],
)
def test_the_content_of_a_meta_tag_is_found(tag: bytes) -> None:
    assert meta_content(
        b"<!doctype html><html><head><title><meta name=git-sha content=no></title>" + tag, "git-SHA"
    ) == ("1a2b3c4")


@pytest.mark.parametrize(
    "text",
    [
        b"<!-- <meta name=git-sha content=no> -->",
        b"<script>'<meta name=git-sha content=no>'</script>",
        b"<style><meta name=git-sha content=no></style>",
        b"<textarea><meta name=git-sha content=no></TEXTAREA>",
        b"<a title='<meta name=git-sha content=no>'>",
        b"<metadata name=git-sha content=no>",
        b"</meta name=git-sha content=no>",
        b"<? <meta name=git-sha content=no",
        b"<meta name=git-sha content='no",
        b"< meta name=git-sha content=no>",
        b"",
    ],
)
def test_text_that_only_looks_like_a_meta_tag_is_not_read(text: bytes) -> None:
    assert meta_content(b"<!doctype html>" + text, "git-sha") is None


def test_character_references_are_resolved() -> None:
    assert meta_content(b"<meta name=v content='a &amp; b &#x31;'>", "v") == "a & b 1"
    assert meta_content(b"<meta name=v content='&#" + b"1" * 10_000 + b";'>", "v")


def test_the_first_element_with_an_attribute_counts() -> None:
    page = b"<html lang=en><!-- <i data-build=no> --><body data-Build='7' class=a><i data-build=8>"
    assert attribute(page, "DATA-build") == "7"
    assert attribute(page, "hidden") is None
    assert attribute(b"<input hidden data-build=8>", "hidden") == ""
