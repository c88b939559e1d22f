#!/usr/bin/env python3
"""Golden vectors of byte-level pre-tokenisation, by PyPI's `tokenizers`.

Usage: make_pre_tokenizers.py OUT.json

Each case is a section "pre_tokenizer" as tokenizer.json has it; its pieces of every text, in the printable byte alphabet,
joined by a newline (which the alphabet does not hold). A case with a "name" has the rules published with the models
whose GGUF files carry that name. Made with tokenizers 0.23.3.
"""
import json
import sys

from tokenizers import Tokenizer

TEXTS = [
    "Hello, world!  How's it going?", "I'll I'LL we'Ve", "a\r\nb\n\n c \n\r\n", "   ", "\n\n\n", "x   ", "  \n \n  y",
    "tabs\t\tand\x0bmore", "3 33 333 4444 1234567 12.5e-3", "1a2b3", "v1.2.3-rc4", "(word) [x] {y} <z>",
    "$100 + 20% = ~120 ^|`", "foo_bar->baz::qux()", "// a comment\n\treturn 0;\r\n", "https://a.b/c?d=e&f",
    "don't 'tis \u2018tis\u2019", "\u00e9t\u00e9 e\u0301te\u0301 na\u00efve", "\u4e2d\u6587\u5b57\u7b26\uff0c\u6d4b\u8bd5\u3002",
    "\u65e5\u672c\u8a9e\u3067\u3059\u30ab\u30bf\u30ab\u30ca\u30fc", "\ud55c\uad6d\uc5b4 \ubb38\uc7a5", "\u0633\u0644\u0627\u0645\u060c \u0639\u0644\u06cc\u06a9\u0645\u06d4",
    "\u05e9\u05dc\u05d5\u05dd", "\u0939\u093f\u0928\u094d\u0926\u0940 \u0967\u0968\u0969\u096a\u0964", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22\u0e51",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f680\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea!", "a\u00a0b\u00a0\u00a0c",
    "a\u180eb \u180e", "a\u0085b\u0085", "\u2028x\u2029y", "\u3000\u3000z \u3000", "\ufeffbom", "\u00b2\u00bd\u2155\u2460\u2167", "\u00bfqu\u00e9?\u00a1s\u00ed!",
    "\u041d\u0435\u0449\u043e \u043d\u0430 \u0411\u044a\u043b\u0433\u0430\u0440\u0441\u043a\u0438", "\u0393\u03bb\u03ce\u03c3\u03c3\u03b1 \u03a9\u03a3", "STRASSE Stra\u00dfe \u01c5ungla",
    "camelCaseHTTPServer2", "\u017ft'\u017f", "a\u0301\u0302\u0303b", "\u00ab\u201equotes\u201c\u00bb \u2014 dash\u2026", "\x00\x01\x7f ctrl", "x" * 70, "9" * 25,
    "!" * 20 + "?", "ab " * 8, "\u2e53\u2e3a\u166d \u10ead".replace("\u10ead", "\U00010ead"), "1\u00b23 7\u00bc", "\u4e00a\u9fa5 \u9fa6\u3005",
    "\ud7ff\u0800\uac00", "a-b_c", "A1 B22 C333\n", "\u20ac5 \u00a310", "...", "'s", " 's", "x'", "\u1e9e\ufb03 \u212a", "12 34\u066034",
    "ends with spaces   \n  ",
]

BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
GPT2 = dict(BYTES, use_regex=True)


def split(pattern, behavior="Isolated", invert=False, literal=False):
    return {"type": "Split", "pattern": {"String" if literal else "Regex": pattern}, "behavior": behavior,
            "invert": invert}


def digits(individual):
    return {"type": "Digits", "individual_digits": individual}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
GPT4O = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK_EAST = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
DEEPSEEK3 = ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
             " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")

NAMED = {
    "gpt-2": GPT2,
    "llama-bpe": sequence(split(LLAMA3), BYTES),
    "qwen2": sequence(split(LLAMA3.replace("{1,3}", "")), BYTES),
    "starcoder": sequence(digits(True), GPT2),
    "falcon": sequence({"type": "Punctuation", "behavior": "Contiguous"}, GPT2, digits(False),
                       split("[0-9][0-9][0-9]")),
    "deepseek-coder": sequence(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(DEEPSEEK_EAST),
                               digits(True), BYTES),
    "deepseek-v3": sequence(split(r"\p{N}{1,3}"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"),
                            split(DEEPSEEK3), BYTES),
    "bloom": sequence(split(" ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"), BYTES),
    "gpt-4o": sequence(split(GPT4O), BYTES),
    "tekken": sequence(split(GPT4O.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace("{1,3}", "")), BYTES),
    "tiny_aya": sequence(split(r"\d{1,3}(?=(?:\d{3})*\b)"), split(GPT4O), BYTES),
    "bailingmoe": sequence(split(r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|"
                                 r"\s*[\r\n]|\s+(?!\S)|\s+"), BYTES),
    "exaone-moe": sequence(split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|"
                                 r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"), BYTES),
}

CUSTOM = (
    [sequence(split(r"[aeiou ]+|\d", b, i), BYTES) for b in BEHAVIORS for i in (False, True)]
    + [sequence(split(r"\d*", b), BYTES) for b in BEHAVIORS]
    + [sequence(split(r"(?=\p{Lu})", b), BYTES) for b in ("Isolated", "MergedWithPrevious", "MergedWithNext")]
    + [sequence({"type": "Punctuation", "behavior": b}, BYTES) for b in BEHAVIORS]
    + [sequence(digits(False), dict(GPT2, add_prefix_space=True)), dict(GPT2, add_prefix_space=True), BYTES,
       sequence({"type": "Whitespace"}, BYTES), sequence({"type": "WhitespaceSplit"}, BYTES),
       sequence(split(" ", "MergedWithNext", literal=True), BYTES), sequence(split("'", literal=True), BYTES),
       sequence(GPT2, split("\u0120", "Removed", literal=True)), sequence(BYTES, split(r"[\u00c0-\u017f]+")),
       sequence(split(r"\w+"), digits(True), {"type": "Punctuation", "behavior": "Isolated"}, BYTES)]
    + [sequence(split(p), BYTES) for p in (
        r"^\s*|\s+$", r"\b", r"[\W_]+", r"[^\W\d]+", r"\h+", r"[[:punct:]]+|[[:upper:]]+", r"\p{^L}+",
        r"\p{Han}+|\p{Hiragana}+", r"\p{N}{1,2}+", r"\p{L}{2}?", r"x{,3}y?", r"(?i)k|\u00e9", r"a(?i)b|c", r"(?m).+",
        r"[a[0-9]c-e]+", r"[^\S\n]+", r"(?<=a)b|(?<!\p{L})\p{L}", r"\p{Punctuation}|\p{Letter}+")]
)


def pieces(section):
    document = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                "pre_tokenizer": section, "post_processor": None, "decoder": None,
                "model": {"type": "BPE", "vocab": {}, "merges": []}}
    tokenizer = Tokenizer.from_str(json.dumps(document))
    return ["\n".join(piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)) for text in TEXTS]


def main():
    cases = [{"name": name, "section": section, "pieces": pieces(section)} for name, section in NAMED.items()]
    cases += [{"section": section, "pieces": pieces(section)} for section in CUSTOM]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write('{"texts":' + json.dumps(TEXTS, separators=(",", ":")) + ',\n"cases":[\n' + lines + "]}\n")


main()
