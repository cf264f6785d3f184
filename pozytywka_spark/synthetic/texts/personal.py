"""What somebody says of themselves in a text: all invented, and all to be masked."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pozytywka_spark.synthetic.texts.grammar import Dice

KINDS = ("name", "street", "email", "phone", "card", "link")
_HOSTS = ("poczta.example", "mail.example", "example.com", "correio.example", "inbox.example.org")
_PAGES = (
    "https://pics.example/",
    "www.screens.example/view?id=",
    "http://example.org/p/",
    "https://example.net/i/",
)
_SHOPS = (
    "https://deals.example/", "www.followers.example/", "http://win.example/go/", "bit.example/",
    "https://cash.example/?ref=", "t.example/", "www.profil.example/@", "https://beats.example/",
)  # fmt: skip
# first names and surnames whose stem changes where Polish bends them
_BENT = {
    "Marek": "Marka", "Cezary": "Cezarego", "Antoni": "Antoniego", "Bączek": "Bączka", "Dzwonek": "Dzwonka",
    "Fiołek": "Fiołka", "Grzebień": "Grzebienia", "Kłębek": "Kłębka", "Latawiec": "Latawca",
    "Liść": "Liścia", "Naparstek": "Naparstka", "Okruszek": "Okruszka", "Pędzel": "Pędzla",
    "Sznurek": "Sznurka", "Zamek": "Zamka", "Zegarek": "Zegarka", "Ziółko": "Ziółka", "Żołądź": "Żołędzia",
    "Maja": "Mai",
}  # fmt: skip
_SOFT = ("k", "g", "l", "j", "c", "i")  # after which the genitive of -a is -i


@dataclass(frozen=True)
class Person:
    """Whose text it is."""

    name: str
    street: str
    city: str
    language: str


def bent(name: str) -> str:
    """The genitive of a name: `Hanna Gąska` is `Hanny Gąski`. A woman's surname in a consonant stays."""
    first, _, surname = name.partition(" ")
    woman = first.endswith("a")
    if not woman or surname.endswith("a"):
        surname = _genitive(surname)
    return f"{_genitive(first)} {surname}"


def _genitive(word: str) -> str:
    if word in _BENT:
        return _BENT[word]
    if word.endswith("a"):
        return word[:-1] + ("i" if word[-2] in _SOFT else "y")
    return f"{word}a"


def bent_street(street: str) -> str:
    """`ul. Cicha 7` as it stands after a preposition: `ul. Cichej 7`."""
    kind, name, number = street.split(" ")
    return f"{kind} {name[:-1]}{'iej' if name[-2] in 'kg' else 'ej'} {number}"


def plain(text: str) -> str:
    """Without diacritics, letter for letter."""
    bare = unicodedata.normalize("NFD", text.replace("ł", "l").replace("Ł", "L"))
    return "".join(char for char in bare if not unicodedata.combining(char))


def value_of(slot: str, person: Person, dice: Dice) -> str:
    """What fills `{SLOT}`."""
    match slot:
        case "NAME":
            return _part_of(person.name, dice)
        case "NAME_OF":
            return _part_of(bent(person.name), dice)
        case "STREET":
            return person.street if dice() < 0.6 else person.street.partition(" ")[2]
        case "STREET_OF":
            return bent_street(person.street)
        case "CITY":
            return person.city
        case "EMAIL":
            return _email(person, dice)
        case "PHONE":
            return _phone(person.language, dice)
        case "CARD":
            return _card(dice)
        case "LINK":
            return f"{dice.pick(_PAGES)}{_code(dice)}"
    return f"{dice.pick(_SHOPS)}{_code(dice)}"


def _part_of(name: str, dice: Dice) -> str:
    first, _, surname = name.partition(" ")
    drawn = dice()
    return name if drawn < 0.6 else first if drawn < 0.8 else surname if drawn < 0.9 else f"{surname} {first}"


def _email(person: Person, dice: Dice) -> str:
    first, _, surname = plain(person.name).lower().partition(" ")
    who = (f"{first}.{surname}", f"{first[0]}{surname}", f"{surname}_{first}", f"{first}{dice.whole(50, 99)}")
    end = "" if dice() < 0.5 else str(dice.whole(1, 1000))
    return f"{dice.pick(who)}{end}@{dice.pick(_HOSTS)}"


def _phone(language: str, dice: Dice) -> str:
    a, b, c = (dice.whole(100, 1000) for _ in range(3))
    if language == "pt":
        end = f"9{a}{dice.whole(0, 10)}-{b}{dice.whole(0, 10)}"
        return dice.pick((f"+55 11 {end}", f"(11) {end}", f"11 {end}", f"11{end.replace('-', '')}"))
    if language == "en" and dice() < 0.4:
        return dice.pick((f"+44 20 7{a} {b}{dice.whole(0, 10)}", f"07{a} {b}{c}"))
    a = 500 + a % 400
    return dice.pick((f"+48 {a} {b} {c}", f"{a} {b} {c}", f"{a}-{b}-{c}", f"{a}{b}{c}", f"+48{a}{b}{c}"))


def _card(dice: Dice) -> str:
    digits = [dice.pick((4, 5)), *(dice.whole(0, 10) for _ in range(14))]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[::2]]
    digits.append(-(sum(doubled) + sum(digits[1::2])) % 10)
    text = "".join(map(str, digits))
    groups = [text[at : at + 4] for at in range(0, 16, 4)]
    return dice.pick((" ", "", "-")).join(groups)


def _code(dice: Dice) -> str:
    return "".join(dice.pick(tuple("abcdefghjkmnpqrstuvwxyz23456789")) for _ in range(dice.whole(4, 9)))
