"""A text as it is looked at and stored: one spelling for each letter, nothing that can't be seen, no HTML.

Whoever looks for an address or a name must not be led astray by a letter's other forms (full width,
combining marks), by characters of no width between two letters, or by tags and entities of HTML.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Of no width: soft hyphen, zero-width spaces and joiners, marks of direction, byte order mark
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_JOINER_IN_WORD = re.compile("(?<=\\w)\u200d+(?=\\w)")  # elsewhere it holds an emoji together
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_INLINE = "a|abbr|b|bdi|bdo|cite|code|del|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|u|wbr"
_BLOCK = (
    "article|aside|blockquote|body|br|button|center|dd|div|dl|dt|footer|form|h[1-6]|head|header|hr|html|iframe|"
    "img|input|label|li|link|main|meta|nav|ol|option|p|pre|script|section|select|style|svg|table|tbody|td|"
    "textarea|tfoot|th|thead|title|tr|ul|video"
)
_REST = r"(?=[\s/>])[^<>]*+>"
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE}){_REST}", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK}){_REST}", re.IGNORECASE)
_COMMENT = re.compile(r"<!--(?:(?!-->)[\s\S])*+(?:-->)?|<!doctype[^<>]*+>", re.IGNORECASE)
_UNESCAPED = 3  # as often as programs escape what is escaped already


def plain_text(text: str) -> str:
    """The text in Unicode's form NFKC, without HTML, control characters, or blanks at its ends.

    A tag within a line is taken out, one that ends a line becomes a blank.

    >>> plain_text("<p>Ko<b>wal</b>ska &lt;3 Ｐｏｚｙｔｙｗｋａ</p>")
    'Kowalska <3 Pozytywka'
    """
    for _ in range(_UNESCAPED):
        if "&" not in text:
            break
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = _JOINER_IN_WORD.sub("", _UNSEEN.sub("", text))
        # without what stood between them, letters and marks may be one
        text = unicodedata.normalize("NFKC", text)
    if "<" in text:
        text = _BLOCK_TAG.sub(" ", _INLINE_TAG.sub("", _COMMENT.sub(" ", text)))
    return _CONTROL.sub(" ", text).strip()
