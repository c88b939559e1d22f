#!/usr/bin/env python3
"""Small WordPiece, unigram and normalising BPE tokenizers, and the ids that other programs give for odd texts.

Trains them (tokenizers, sentencepiece) on the first 300 KB of TEXT, a public-domain book, and writes each with the
expected ids of every text to OUT/normalized.json. The compiled character maps are made from a few hundred rules of NFKC,
so that the files stay small. None of it is Tern's code.
Needs: pip install sentencepiece tokenizers.   Usage: make_normalized_tokenizers.py TEXT OUT
"""
import base64
import io
import json
import os
import random
import sys
import tempfile
import unicodedata

import sentencepiece as spm
import tokenizers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

EXTRA = ["Le café de la gare était fermé, et l'élève naïf a crié à l'œuvre.", "der Fluß fließt über große Straßen",
         "東京の天気は晴れです。", "안녕하세요 세계", "Привет, мир! Ёлка", "ｆｕｌｌ ｗｉｄｔｈ １２３", "ﬁne ﬂour"] * 20

TEXTS = ["", " ", "  ", "   ", "\n", "\r\n", "\t", " \n ", "a", " a", "a ", "  a  b  ", "a\r\nb", "a\tb", "a\u000bb\u000cc\u0085d",
         "Hello, World!", "HELLO wORLD", "don't I'LL we'Ve", "the\u00a0quick\u00a0\u00a0brown", "a\u2028b\u2029c", "\u3000x\u3000",
         "a\u200bb\u200cc\u200dd\u200ee", "\ufeffstart", "soft\u00adhyphen", "café", "cafe\u0301", "\u0301x", "e\u0301\u0323", "e\u0323\u0301",
         "é\u0323", "a\u0315\u0300\u05ae\u0062", "Å Å A\u030a", "ﬁ ﬂ ﬀ ﬃ ﬅ", "ｆｕｌｌ　ＷＩＤＴＨ！１２", "①②③ ⅳ Ⅻ ½ ²", "㎏ ㍿ ㌀ ﷺ", "…‥ ™ ℃ ℡",
         "東京都", "東京 tower 大阪", "漢字とかな", "ガ ｶﾞ カ\u3099", "안녕", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "한\u11a8", "가\u11a8ᆨ", "ㄱㅏ",
         "مرحبا بالعالم", "السَّلَامُ", "ﻻ ﷲ", "שָׁלוֹם", "नमस्ते", "ไทยคำ", "Привет Ёж й и\u0306", "ΑΣ Σίσυφος ΐ", "İstanbul ıI", "ǅ ǆ Ǆ",
         "Straße ẞ", "😀", "👨\u200d👩\u200d👧", "🇩🇪🇫🇷", "❤\ufe0f ☺", "x😀y", "\x00", "\x01\x02\x1f\x7f", "a\x00b", "\u0080\u009f", "\ufffd", "\ue000",
         "$5 + 3 = 8; a<b>c", "`^~|", "«quoted» „so“ ‘x’ — – -", "¿Qué? ¡No!", "1,234.56", "aaaaaaaaaaaaaaaaaaaaaaaa", "the" * 50, "x" * 120,
         "supercalifragilisticexpialidocious", "\u2581\u2581the \u2581", "a\u2581b", "##the ##ing", "[CLS] [MASK]", "Ｔｈｅ ｔｈｅ", "th\u0307e",
         "A\u0301B\u0301C\u0301", "\U0001d400\U0001d41a", "𝟏𝟐", "\u0344\u0340\u0374", "\u212b\u2126\u2160", "q\u0307\u0323\u0301\u0327"]


def random_texts(count):
    rng = random.Random(11)
    letters = list("  \n\tthe aAbBéÉ.,!'-12") + ["e\u0301", "\u0323", "ﬁ", "Ｔ", "東", "한", "\u11a8", "й", "ß", "😀", "\u00a0", "\u200d", "\u3000", "\r\n"]
    return ["".join(rng.choice(letters) for _ in range(rng.randrange(1, 40))) for _ in range(count)]


def rules():
    """Rules of NFKC (code points in, code points out) for the scripts of TEXTS, with some white space."""
    lines = ["9\t20", "A\t20", "D\t20", "A0\t20", "3000\t20", "2028\t20", "200B\t20", "AD\t", "FEFF\t"]
    wanted = list(range(0xC0, 0x17F)) + list(range(0xFF01, 0xFF5F)) + list(range(0xFB00, 0xFB05)) + [0x2460, 0x2461, 0xBD, 0xB2, 0x2122, 0x212B]
    for c in wanted:
        to = unicodedata.normalize("NFKC", chr(c))
        if to != chr(c):
            lines.append(f"{c:X}\t" + " ".join(f"{ord(x):X}" for x in to))
        apart = unicodedata.normalize("NFD", chr(c))
        if apart != chr(c):
            lines.append(" ".join(f"{ord(x):X}" for x in apart) + f"\t{c:X}")
    return lines


def folded(lines):
    out = list(lines)
    for c in range(ord("A"), ord("Z") + 1):
        out.append(f"{c:X}\t{c + 32:X}")
    for line in lines:
        source, to = line.split("\t")
        if " " in source or not to or source in ("9", "A", "D"):
            continue
        low = "".join(chr(int(x, 16)) for x in to.split()).lower()
        out[out.index(line)] = source + "\t" + " ".join(f"{ord(x):X}" for x in low)
    return out


def fields(message):
    """(number, value) of a protobuf message; numbers as they are, bytes for the rest."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        length = {1: 8, 5: 4}.get(tag & 7)
        length = varint() if length is None else length
        yield tag >> 3, message[at:at + length]
        at += length


def charsmap_of(model):
    normalizer = next(value for number, value in fields(model) if number == 3)
    return next(value for number, value in fields(normalizer) if number == 2)


def train_sentencepiece(corpus, **options):
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=model, minloglevel=2, num_threads=1,
                                   character_coverage=0.9995, **options)
    return model.getvalue()


def main(text_path, out):
    with open(text_path, encoding="utf-8", errors="ignore") as file:
        book = file.read(300_000)
    lines = [line.strip() for line in book.split("\n") if line.strip()]
    corpus = lines + EXTRA
    texts = TEXTS + random_texts(100) + [book[40_000:42_000]]
    expected = {"texts": texts, "ids": {}, "made_by": "tests/golden/make/make_normalized_tokenizers.py",
                "tokenizers": tokenizers.__version__, "sentencepiece": spm.__version__}

    def save(name, data):
        assert len(data) < 40_000, (name, len(data))
        with open(os.path.join(out, name), "wb") as file:
            file.write(data)

    def add_hf(name, tokenizer):
        text = tokenizer if isinstance(tokenizer, str) else tokenizer.to_str()
        save(name, text.encode())
        plain = json.loads(text)  # special tokens in a text are plain text: a tokenizer that has none
        plain["added_tokens"] = []
        plain["post_processor"] = None
        plain = Tokenizer.from_str(json.dumps(plain))
        expected["ids"][name] = [plain.encode(t, add_special_tokens=False).ids for t in texts]

    def add_sp(name, data):
        save(name, data)
        processor = spm.SentencePieceProcessor(model_proto=data)
        expected["ids"][name] = [processor.encode(t) for t in texts]

    def wordpiece(name, normalizer, pre, **options):
        t = Tokenizer(models.WordPiece(unk_token="[UNK]", **options))
        t.normalizer, t.pre_tokenizer = normalizer, pre
        t.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=700, show_progress=False, limit_alphabet=150,
                              special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
        add_hf(name, t)

    wordpiece("wordpiece_uncased.json", normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer())
    wordpiece("wordpiece_cased.json", normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer())
    wordpiece("wordpiece_steps.json", normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents(),
              normalizers.Strip()]), pre_tokenizers.WhitespaceSplit())

    def unigram(normalizer, pre):
        t = Tokenizer(models.Unigram())
        if normalizer:
            t.normalizer = normalizer
        t.pre_tokenizer = pre
        t.train_from_iterator(corpus, trainers.UnigramTrainer(vocab_size=700, special_tokens=["<unk>", "</s>"], unk_token="<unk>",
                              show_progress=False, max_piece_length=12, initial_alphabet=[]))
        return json.loads(t.to_str())

    nfkc = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    for scheme in ("first", "always", "never"):
        data = unigram(nfkc, pre_tokenizers.Metaspace(prepend_scheme=scheme, split=scheme != "never"))
        if scheme == "never":  # and with byte fallback
            data["model"]["vocab"] += [[f"<0x{b:02X}>", 0.0] for b in range(256)]
            data["model"]["byte_fallback"] = True
            data["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "Prepend", "prepend": "x"},
                                  {"type": "Replace", "pattern": {"String": "the"}, "content": "a"}]}
        add_hf(f"unigram_{scheme}.json", json.dumps(data, ensure_ascii=False))

    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, lines_of in (("plain", rules()), ("folded", folded(rules()))):
            paths[name] = os.path.join(folder, name)
            with open(paths[name], "w", encoding="utf-8") as file:
                file.write("\n".join(lines_of) + "\n")
        add_sp("unigram_identity.model", train_sentencepiece(corpus, vocab_size=900, model_type="unigram", byte_fallback=True,
                                                             normalization_rule_name="identity", remove_extra_whitespaces=False))
        with_map = train_sentencepiece(corpus, vocab_size=600, model_type="unigram", normalization_rule_tsv=paths["plain"])
        folding = train_sentencepiece(corpus, vocab_size=600, model_type="unigram", normalization_rule_tsv=paths["folded"])
        add_sp("unigram_map.model", with_map)
        add_sp("bpe_folding_map.model", train_sentencepiece(corpus, vocab_size=900, model_type="bpe", byte_fallback=True,
                                                            normalization_rule_tsv=paths["folded"]))

    # A SentencePiece model as transformers converts it: its map, a few more steps, cut at white space.
    pieces = spm.SentencePieceProcessor(model_proto=folding)
    charsmap = base64.b64encode(charsmap_of(folding)).decode()
    t5 = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "post_processor": None, "decoder": None,
          "normalizer": {"type": "Sequence", "normalizers": [
              {"type": "Precompiled", "precompiled_charsmap": charsmap}, {"type": "Strip", "strip_left": False, "strip_right": True},
              {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}]},
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
              {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}]},
          "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": [[pieces.id_to_piece(i), pieces.get_score(i)] for i in range(pieces.get_piece_size())]}}
    add_hf("unigram_precompiled.json", json.dumps(t5, ensure_ascii=False))

    def byte_level(name, normalizer):
        t = Tokenizer(models.BPE())
        t.normalizer = normalizer
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=500, special_tokens=["<|endoftext|>"], show_progress=False,
                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        add_hf(name, t)

    byte_level("bpe_nfkc_lower.json", normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]))
    byte_level("bpe_nfc.json", normalizers.NFC())

    # BPE with byte fallback and the two kinds of Metaspace.
    for scheme, split in (("first", False), ("always", True)):
        t = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        t.normalizer = normalizers.NFC()
        t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
        t.train_from_iterator([line[i:i + 60] for line in corpus for i in range(0, len(line), 60)] if not split else corpus,
                              trainers.BpeTrainer(vocab_size=700, show_progress=False, limit_alphabet=100, max_token_length=8,
                              special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]))
        data = json.loads(t.to_str())
        data["added_tokens"] = data["added_tokens"][:3]
        add_hf(f"spm_metaspace_{scheme}.json", json.dumps(data, ensure_ascii=False))

    with open(os.path.join(out, "normalized.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=True, separators=(",", ":"))


main(sys.argv[1], sys.argv[2])
