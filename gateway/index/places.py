"""Places as written: a kelurahan's folded name, and an address as street, number, RT and RW."""

import re

_PLACE_WORDS = {
    "pdg": "padang",
    "kt": "koto",
    "tj": "tanjung",
    "tjg": "tanjung",
    "tanjuang": "tanjung",
    "parik": "parit",
    "sei": "sungai",
    "sungei": "sungai",
    "s": "sungai",
    "kb": "kubu",
    "gdg": "gadang",
    "godang": "gadang",
    "pjg": "panjang",
    "panjan": "panjang",
    "subarang": "seberang",
    "sabarang": "seberang",
    "kuniang": "kuning",
    "aua": "aur",
    "tigo": "tiga",
    "duo": "dua",
    "limo": "lima",
    "pauah": "pauh",
    "tongah": "tangah",
    "tengah": "tangah",
    "data": "datar",
    "pasia": "pasir",
    "mudiak": "mudik",
    "hilia": "hilir",
    "ibuah": "ibuh",
    "jariang": "jaring",
    "batuang": "batung",
    "kampuang": "kampung",
    "aia": "air",
    "ketek": "kociak",
}
_NOT_A_PLACE = frozenset(["kel", "kelurahan", "desa", "ds", "nagari", "jorong"])
_KECAMATAN = re.compile(r"\b(?:kec|kecamatan|kota|kab|kabupaten)\b.*$")
_RT_RW = re.compile(
    r"\brt\.?\s*[:/]?\s*0*(\d{1,3})\b(?:\s*[,/.-]*\s*rw\.?\s*[:/]?\s*0*(\d{1,3})\b)?",
)
_RW = re.compile(r"\brw\.?\s*[:/]?\s*0*(\d{1,3})\b")
_SLASHED = re.compile(r"\b(0\d{1,2})\s*/\s*(0\d{1,2})\b")
_NUMBER = re.compile(r"\bno\.?\s*(?:rumah)?\s*(\d{1,4}[a-z]?)\b")
_TRAILING = re.compile(r"\b(\d{1,4}[a-z]?)\s*$")
_LEADING = re.compile(r"^\s*(\d{1,5}[a-z]?)\s+(?=[a-z])")
_STREET_WORD = re.compile(r"\b(?:jl|jln|jalan|gg|gang|lr|lorong|perum|komp|kompleks)\b\.?")
_POSTCODE = re.compile(r"\b\d{5}\b")


def place(text: str) -> str | None:
    """A kelurahan's name in one spelling: Minang and Indonesian forms and short forms meet."""
    lowered = _KECAMATAN.sub("", text.lower())
    words = [w for w in re.split(r"[^a-z0-9]+", lowered) if w and w not in _NOT_A_PLACE]
    return " ".join(_PLACE_WORDS.get(w, w) for w in words) or None


def address(text: str) -> str | None:
    """`street|number|rt|rw` with numbers free of leading zeros; None if nothing is said."""
    rest = text.lower().replace("_", " ")
    rt = rw = number = ""
    if found := _RT_RW.search(rest) or _SLASHED.search(rest):
        rt, rw = found[1].lstrip("0"), (found[2] or "").lstrip("0")
        rest = rest.replace(found[0], " ", 1)
    if found := _RW.search(rest):
        rw = rw or found[1]
        rest = rest.replace(found[0], " ", 1)
    rest = re.split(r"\b(?:kel|kelurahan|kec|kecamatan|kota|kab|kode)\b", rest, maxsplit=1)[0]
    rest = _POSTCODE.sub(" ", rest)
    if found := _NUMBER.search(rest) or _LEADING.search(rest) or _TRAILING.search(rest):
        number = found[1]
        rest = rest.replace(found[0], " ", 1)
    street = " ".join(re.findall(r"[a-z0-9]+", _STREET_WORD.sub(" ", rest)))
    if not (street or rt or rw):
        return None
    return structured(street, number, rt, rw)


def structured(street: str, number: str = "", rt: str = "", rw: str = "") -> str:
    """The same value from an address whose parts are already known."""
    numbers = (n.strip().lower().lstrip("0") for n in (number, rt, rw))
    return "|".join((street.replace("|", " "), *numbers))
