import base64
import random
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile import hostile
from simulator.mail import Text
from simulator.raw_mail import (
    DEEPEST,
    LONGEST_HEADER,
    LOOKED_AT,
    MOST_HEADERS,
    MOST_PARTS,
    RefusedMail,
    of_html,
    parsed,
)


def test_a_plain_message_has_its_subject_and_body() -> None:
    raw = b"From: a@x.example\nSubject: Hello\n there\nTo: b@x.example\n\nSee you\nsoon.\n"
    assert parsed(raw) == Text("Hello\n there", "See you\nsoon.\n")


def test_of_alternatives_the_plain_one_counts_unless_it_is_empty() -> None:
    for plain, wanted in (("said plainly", "said plainly\n"), ("", " said in bold\n")):
        message = EmailMessage()
        message["Subject"] = "s"
        message.set_content(plain)
        message.add_alternative("<p>said <b>in bold</b></p>", subtype="html")
        assert parsed(message.as_bytes()).text.strip() == wanted.strip()


def test_attachments_are_left_out_and_what_is_in_line_is_not() -> None:
    message = EmailMessage()
    message.set_content("body")
    message.add_attachment("hidden", filename="a.txt")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="b.png")
    assert parsed(message.as_bytes()).text == "body\n"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "koi8-r", "gb2312"])
def test_encoded_words_and_bodies_are_decoded(charset: str) -> None:
    said = {"koi8-r": "привет", "gb2312": "你好"}.get(charset, "Grüße")
    word = base64.b64encode(said.encode(charset)).decode()
    body = base64.encodebytes(said.encode(charset))
    raw = (
        f"Subject: =?{charset}?b?{word}?=\nContent-Type: text/plain; charset={charset}\n"
        "Content-Transfer-Encoding: base64\n\n"
    ).encode() + body
    assert parsed(raw) == Text(said, said)


@pytest.mark.parametrize("charset", ["default_charset", "rot13", "hex", "zlib", "idna", "utf-7"])
def test_a_character_set_that_is_none_or_does_more_than_spell_is_latin_1(charset: str) -> None:
    raw = f"Subject: s\nContent-Type: text/plain; charset={charset}\n\ncaf".encode() + b"\xe9"
    assert parsed(raw).text == "café"


def test_html_is_reduced_to_its_text() -> None:
    page = (
        "<html><head><title>no</title></head><body>Buy<br>now &lt;3 <script>bad()</script>"
        "<a href='http://x.example'>he</a>re <!-- and --> 5 < 6"
    )
    raw = b"Content-Type: text/html\n\n" + page.encode()
    assert "bad" not in parsed(raw).text
    assert "Buy now <3 here" in " ".join(parsed(raw).text.split())
    assert "5 < 6" in parsed(raw).text


def parts(count: int, boundary: bytes = b"b") -> bytes:
    head = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\n\n'
    return head + b"".join(b"--" + boundary + b"\n\nx\n" for _ in range(count))


def nested(depth: int) -> bytes:
    raw = b"Content-Type: text/plain\n\ninside\n"
    for level in range(depth):
        name = b"b%d" % level
        raw = (
            b'Content-Type: multipart/mixed; boundary="' + name + b'"\n\n--' + name + b"\n" + raw
        ) + (b"\n--" + name + b"--\n")
    return raw


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"X: y\n" * (MOST_HEADERS + 1) + b"\nbody", "headers, got more"),
        (b"Subject: " + b"a" * LONGEST_HEADER + b"\n\nbody", "headers of at most"),
        (b"Subject: a" + b"\n a" * LONGEST_HEADER + b"\n\nbody", "headers of at most"),
        (b"To: " + b"(" * (LONGEST_HEADER + 1) + b"\n\nbody", "headers of at most"),
        (parts(MOST_PARTS + 1), "parts, got more"),
        (parts(100_000), "parts, got more"),
        (nested(DEEPEST + 5), "deep, got more"),
        (nested(2000), "deep, got more"),
        (b"Content-Type: message/rfc822\n\n" * 500 + b"x", "deep, got more"),
    ],
)
def test_what_is_beyond_the_limits_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(RefusedMail, match=why):
        parsed(raw)


def test_what_is_at_the_limits_is_not() -> None:
    assert parsed(parts(MOST_PARTS - 2)).text.count("x") == MOST_PARTS - 2
    assert "inside" in parsed(nested(DEEPEST - 5)).text
    assert parsed(b"To: " + b"(" * 1024 + b"\nSubject: s\n\nbody") == Text("s", "body")
    long = parsed(b"Subject: s\n\n" + b"word " * LOOKED_AT)
    assert len(long.text) <= LOOKED_AT


def mutated(raw: bytes, random_: random.Random) -> bytes:
    """A message with some of its bytes changed, doubled, or cut."""
    made = bytearray(raw)
    for _ in range(random_.randrange(1, 12)):
        place = random_.randrange(len(made) or 1)
        match random_.randrange(4):
            case 0:
                made[place : place + 1] = bytes([random_.randrange(256)])
            case 1:
                made[place:place] = made[place : place + random_.randrange(1, 400)] * 3
            case 2:
                del made[place : place + random_.randrange(1, 40)]
            case _:
                made[place:place] = random_.choice(
                    [
                        b"\n--b\n",
                        b"=?utf-8?q?",
                        b"\r\n\r\n",
                        b"<",
                        b"&#",
                        b"charset=",
                        b"\0",
                        b"\n ",
                    ]
                )
    return bytes(made)


def whole() -> Iterator[bytes]:
    yield parts(3)
    yield nested(4)
    message = EmailMessage()
    message["Subject"] = "Grüße an alle"
    message.set_content("plain text\n" * 20)
    message.add_alternative("<p>html &amp; text</p>" * 20, subtype="html")
    message.add_attachment(b"x" * 200, maintype="image", subtype="png", filename="b.png")
    yield message.as_bytes()


def test_no_damage_does_more_than_have_a_message_refused() -> None:
    random_ = random.Random(4)
    some = list(whole())
    refused = 0
    for number in range(3000):
        try:
            said = parsed(mutated(some[number % len(some)], random_))
        except RefusedMail:
            refused += 1
        else:
            (said.subject + said.text).encode()
    assert refused < 1500


def test_no_hostile_mail_does_more_than_be_refused() -> None:
    refused = set()
    for kind, raw in hostile(160, []):
        try:
            parsed(raw)
        except RefusedMail:
            refused.add(kind)
    assert {"headers", "long_header", "parts", "nested", "messages_within"} <= refused


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_do_more_than_have_a_message_refused(raw: bytes) -> None:
    try:
        said = parsed(raw)
    except RefusedMail:
        return
    (said.subject + said.text).encode()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>/!abscript style&;# \n", max_size=300))
def test_html_never_grows_and_never_fails(page: str) -> None:
    assert len(of_html(page)) <= 2 * len(page) + 1


def test_real_messages_are_read(raw_mail: Path) -> None:
    some = sorted((raw_mail / "data").iterdir())[::40]
    assert len(some) > 100
    texts = []
    for path in some:
        try:
            texts.append(parsed(path.read_bytes()))
        except RefusedMail:
            continue
    assert len(texts) > 0.97 * len(some)
    assert sum(bool(one.text.strip()) for one in texts) > 0.97 * len(texts)
