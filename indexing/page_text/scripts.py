"""Which languages OCR reads with what: the scripts that RapidOCR's models lack, and Tesseract's packs for them."""

from __future__ import annotations

import re

#: Tesseract's languages, and Debian's packs tesseract-ocr-…, by the scripts that its script detection names; the first
#: is the commonest.
OF_SCRIPT = {
    "Arabic": ("ara", "fas", "urd"),
    "Armenian": ("hye",),
    "Bengali": ("ben",),
    "Cyrillic": ("rus", "ukr", "bul", "srp"),
    "Devanagari": ("hin", "mar", "nep"),
    "Ethiopic": ("amh",),
    "Georgian": ("kat",),
    "Greek": ("ell",),
    "Gujarati": ("guj",),
    "Gurmukhi": ("pan",),
    "Hangul": ("kor",),
    "Hebrew": ("heb",),
    "Kannada": ("kan",),
    "Khmer": ("khm",),
    "Korean": ("kor",),
    "Lao": ("lao",),
    "Malayalam": ("mal",),
    "Myanmar": ("mya",),
    "Oriya": ("ori",),
    "Sinhala": ("sin",),
    "Tamil": ("tam",),
    "Telugu": ("tel",),
    "Thai": ("tha",),
    "Tibetan": ("bod",),
    "Vietnamese": ("vie",),
}

#: Tesseract's names of languages by those of ISO 639-1.
_THREE_LETTERS = {
    "am": "amh", "ar": "ara", "bg": "bul", "bn": "ben", "bo": "bod", "cs": "ces", "da": "dan", "de": "deu", "el": "ell",
    "en": "eng", "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "gu": "guj", "he": "heb", "hi": "hin",
    "hr": "hrv", "hu": "hun", "hy": "hye", "id": "ind", "it": "ita", "ja": "jpn", "ka": "kat", "km": "khm", "kn": "kan",
    "ko": "kor", "lo": "lao", "lt": "lit", "lv": "lav", "ml": "mal", "mr": "mar", "ms": "msa", "my": "mya", "ne": "nep",
    "nl": "nld", "no": "nor", "or": "ori", "pa": "pan", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "si": "sin",
    "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe", "ta": "tam", "te": "tel", "th": "tha", "tr": "tur", "uk": "ukr",
    "ur": "urd", "vi": "vie", "zh": "chi_sim",
}  # fmt: skip

#: Languages that RapidOCR's models do not read, in Tesseract's names.
SECOND_ENGINE = frozenset(language for languages in OF_SCRIPT.values() for language in languages)

# Letters that only Vietnamese has, and that RapidOCR's models know; others of Vietnamese they leave out.
_VIETNAMESE = re.compile("[ơưƠƯẠồ]|đ[ảấầẩẫậắằẳẵặếềểễệốồổỗộớờởỡợứừửữựãó]|(?:^|\\s)(?:đã|đông|và|công)(?:$|\\s)")
_NOT_LATIN = re.compile("[\u0370-\u03ff\u0400-\u04ff]")


# Letters of the scripts above, those that are met most, and which part of a text's letters says that it is in one.
_LETTERS = {
    "Arabic": "\u0600-\u06ff",
    "Armenian": "\u0530-\u058f",
    "Bengali": "\u0980-\u09ff",
    "Cyrillic": "\u0400-\u04ff",
    "Devanagari": "\u0900-\u097f",
    "Georgian": "\u10a0-\u10ff",
    "Greek": "\u0370-\u03ff",
    "Hangul": "\uac00-\ud7af",
    "Hebrew": "\u0590-\u05ff",
    "Tamil": "\u0b80-\u0bff",
    "Thai": "\u0e00-\u0e7f",
}
_LEAST_SHARE = 0.2  # a guess, not measured


def languages_in(text: str) -> tuple[str, ...]:
    """The languages whose script a text is in to some part, in Tesseract's names."""
    letters = sum(map(str.isalpha, text))
    shares = {script: len(re.findall(f"[{held}]", text)) for script, held in _LETTERS.items()}
    found = (script for script, count in shares.items() if count > _LEAST_SHARE * letters)
    return tuple(language for script in found for language in OF_SCRIPT[script])


def languages_of(setting: str) -> tuple[str, ...]:
    """The languages of a setting such as "ru, en" or "rus+eng", in Tesseract's names; none for "auto"."""
    named = [name for name in re.split(r"[\s,;+]+", setting.strip().lower()) if name and name != "auto"]
    return tuple(dict.fromkeys(_THREE_LETTERS.get(name, name) for name in named))


def is_vietnamese(text: str) -> bool:
    """Whether RapidOCR's reading looks like Vietnamese, of which it leaves letters out."""
    return len(_VIETNAMESE.findall(text)) >= 2


def share_of_unread_scripts(text: str) -> float:
    """Which part of the letters is Greek or Cyrillic, of which RapidOCR's models know some letters only."""
    letters = sum(char.isalpha() for char in text)
    return len(_NOT_LATIN.findall(text)) / letters if letters else 0.0
