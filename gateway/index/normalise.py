"""Names as agencies write them, folded so that one person's spellings meet.

A name becomes a core (folded words in the written order), its titles, and aliases: a gelar given
at marriage or a nickname, by which the person may be known elsewhere. Nothing is guessed from a
register of names; the rules are those of Indonesian and Minangkabau spelling.
"""

import re
from dataclasses import dataclass

_FRONT = frozenset(
    [
        "h",
        "hj",
        "haji",
        "hajjah",
        "hajah",
        "drs",
        "dra",
        "ir",
        "dr",
        "drg",
        "prof",
        "ust",
        "ustad",
        "ustadz",
        "ustaz",
        "buya",
        "tk",
        "kh",
        "alm",
        "almh",
        "sdr",
        "sdri",
        "bpk",
        "ibu",
        "tn",
        "ny",
        "nn",
    ],
)
_ADAT = frozenset(
    [
        "dt",
        "datuak",
        "datuk",
        "dtk",
        "st",
        "sutan",
        "soetan",
        "sidi",
        "bagindo",
        "marah",
        "pakiah",
        "katik",
        "malin",
        "tuanku",
        "rangkayo",
        "rky",
        "rkyo",
    ],
)
_BEHIND = frozenset(
    [
        "spd",
        "spdi",
        "ssos",
        "sh",
        "se",
        "sag",
        "amd",
        "amk",
        "amkeb",
        "mm",
        "skom",
        "ma",
        "mpd",
        "msi",
        "msc",
        "mkes",
        "mh",
        "mt",
        "sst",
        "skm",
        "sip",
        "sp",
        "ssi",
        "spt",
        "sthi",
        "sthum",
        "shum",
        "shi",
        "sei",
        "sked",
        "skep",
        "skeb",
        "spsi",
        "stp",
        "lc",
        "phd",
        "ba",
        "bba",
        "st",
    ],
)
_GELAR = frozenset(["gelar", "glr", "galar"])
_KNOWN_AS = frozenset(["alias", "als", "pgl", "panggilan", "panggil"])
_MUHAMMAD = frozenset(
    [
        "muh",
        "moh",
        "mohd",
        "mhd",
        "muhd",
        "md",
        "muhammad",
        "muhamad",
        "mohammad",
        "mohamad",
        "mochammad",
        "mochamad",
        "muchammad",
        "muchamad",
        "mohamed",
        "muhammed",
    ],
)
_WHOLE = {
    "abd": "abdul",
    "abdoel": "abdul",
    "abdl": "abdul",
    "noor": "nur",
    "noer": "nur",
    "nor": "nur",
    "sitti": "siti",
    "chaniago": "caniago",
    "tjaniago": "caniago",
    "chandra": "candra",
    "zainul": "zainal",
    "zaenal": "zainal",
}
_FOLDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"oe", "u"),
        (r"dj", "y"),
        (r"tj", "c"),
        (r"s[jyh]", "s"),
        (r"t?[ck]h(?=[^aeiou]|$)", "h"),
        (r"[ck]h", "h"),
        (r"dh", "d"),
        (r"th", "t"),
        (r"ts", "s"),
        (r"dz", "z"),
        (r"j", "y"),
        (r"ph|f|v", "p"),
        (r"q", "k"),
        (r"x", "ks"),
        (r"ie|ee|iy(?=[aou])", "i"),
        (r"(.)\1+", r"\1"),
        (r"(?<=[bcdghklmprstz])y(?=[aou])", "i"),
        (r"(?<=d)w(?=a)", "u"),
        (r"(?<=.)y$", "i"),
        (r"(?<=[a-z][aou])h$", ""),
        (r"(?<=..)d$", "t"),
        (r"(?<=..)b$", "p"),
    )
)
_LETTERS = re.compile(r"[^a-z]+")
_KYAI = re.compile(r"\bk\.\s?h\.\s?")
_PARENT = re.compile(r"\b(?:bin|binti|bt|bte|b\.)\s.*$")


@dataclass(frozen=True, slots=True)
class Name:
    """A folded name.

    Attributes:
        core: words that stand for the person, one space between; empty if nothing is left.
        titles: what was taken off, lower case, in the written order.
        aliases: other names of the same person in the same text.
    """

    core: str
    titles: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def value(self) -> str | None:
        """Core and aliases in one comparable string, None if there is no name."""
        return "|".join((self.core, *self.aliases)) if self.core else None


def name(text: str, sex: str | None = None) -> Name:
    """Fold a written name. `sex` (`L`/`P`) tells Siti from Sutan where only `St.` stands."""
    lowered = _KYAI.sub("kh ", _PARENT.sub("", text.lower().replace("`", "'")))
    words = _words(lowered, sex)
    core_words, alias_words = _split_alias(words)
    core_words, titles = _strip(core_words)
    aliases = []
    alias_words, more = _strip(alias_words)
    if alias_words:
        aliases.append(" ".join(fold(w) for w in alias_words))
    if not core_words and aliases:
        return Name(aliases[0], titles + more)
    return Name(" ".join(fold(w) for w in core_words), titles + more, tuple(aliases))


def fold(word: str) -> str:
    """One word in its folded spelling: old and new, kh and h, v and f, j and y meet."""
    if word in _MUHAMMAD:
        return "muhamat"
    word = _WHOLE.get(word, word)
    for pattern, replacement in _FOLDS:
        word = pattern.sub(replacement, word)
    return "muhamat" if word in {"muhamat", "mohamat"} else word


def _words(text: str, sex: str | None) -> list[str]:
    """Bare words of the part before the first comma; titles written with dots stay one word."""
    front = text.split(",", 1)[0] if "," in text else text
    if not _LETTERS.sub("", front):
        front = text
    out: list[str] = []
    for raw in re.split(r"[\s()/]+", front):
        tight = raw.replace(".", "").replace("'", "")
        if tight in _BEHIND and "." in raw.rstrip("."):
            out.append(tight)
            continue
        parts = [p for p in _LETTERS.split(raw.replace("'", "")) if p]
        out.extend(parts)
    return ["siti" if w == "st" and sex == "P" and i == 0 else w for i, w in enumerate(out)]


def _split_alias(words: list[str]) -> tuple[list[str], list[str]]:
    """Words before and after a gelar or nickname mark that stands inside the name."""
    for i, word in enumerate(words):
        if i and i + 1 < len(words) and word in _GELAR | _KNOWN_AS | _ADAT:
            if all(w in _FRONT | _ADAT for w in words[:i]):
                continue
            return words[:i], words[i + 1 :]
    return words, []


def _strip(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Take titles off both ends, but never the last word that is left."""
    start, end = 0, len(words)
    while end - start > 1 and words[start] in _FRONT | _ADAT | _GELAR:
        start += 1
    while end - start > 1 and words[end - 1] in _BEHIND | {"h", "hj", "dt", "datuak", "datuk"}:
        end -= 1
    return words[start:end], tuple(words[:start] + words[end:])
