"""Codes of languages: twenty have two in ISO 639-2, and QuickTime knows one of each."""

_IN_MOV = {
    "bod": "tib",
    "cym": "wel",
    "cze": "ces",
    "deu": "ger",
    "ell": "gre",
    "eus": "baq",
    "fre": "fra",
    "hye": "arm",
    "isl": "ice",
    "kat": "geo",
    "mkd": "mac",
    "msa": "may",
    "mya": "bur",
    "nld": "dut",
    "rum": "ron",
    "slo": "slk",
    "sqi": "alb",
    "zho": "chi",
}


def code_in_mov(code: str) -> str:
    """The code of the same language that QuickTime files can hold; else ``code``."""
    return _IN_MOV.get(code, code)
