#!/usr/bin/env python3
"""Small tokenizers of every kind and the ids that other programs give for odd texts.

Trains a SentencePiece BPE model (sentencepiece) and three byte-level BPE tokenizers with the published patterns
(tokenizers) on sentences made here, and writes them with expected ids to OUT. None of it is Tern's code.
Needs: pip install sentencepiece tokenizers.   Usage: make_tokenizers.py OUT
"""
import io
import json
import os
import random
import sys

import sentencepiece as spm
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

random.seed(7)
SUBJECTS = ["the river", "a small house", "my neighbour's dog", "the captain", "she", "an old clock", "der Fluß", "le café"]
VERBS = ["runs past", "looks at", "doesn't know", "remembers", "opens", "walked to", "sees", "it'll find"]
OBJECTS = ["the harbour", "12 boats", "the year 1984", "a green door", "nothing at all", "東京", "the hills", "300 letters"]
CORPUS = [f"{random.choice(SUBJECTS)} {random.choice(VERBS)} {random.choice(OBJECTS)}{random.choice(['.', '!', ', and', '?'])}"
          for _ in range(3000)]

TEXTS = ["", " ", "  ", "a", " a", "\n", "\n\n", " \n \n x", "the river runs past the harbour.", "  the  river   runs",
         "I'll SEE IT'LL 'Re 'D", "1", "12", "123", "1234", "12345 67", "naïve café — 東京 नमस्ते 😀", "a\tb\r\nc\x0bd",
         "...!!!???", "(word) [word] {word}", "ſ 'ſ", "a\u00a0b\u3000c\u2003", "\u180e\u180e", "½ ² Ⅷ ९९९९", "<s></s><unk>",
         "<|begin_of_text|>", "\u2581\u2581the", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "the" * 60, "=" * 100, " " * 130 + "x",
         "é" * 40, "\u0301e\u0301", "🚀👨‍👩‍👧", "\ufeffBOM", "\x00\x01\x7f"]
LETTERS = "  \n\t\r'sSdDabthe012.!-é東½\u3000😀\u0301"
TEXTS += ["".join(random.choice(LETTERS) for _ in range(random.randrange(1, 50))) for _ in range(200)]


def byte_level(pre_tokenizer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=["<|begin_of_text|>", "<|end_of_text|>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def main(out):
    os.makedirs(out, exist_ok=True)
    expected = {"texts": TEXTS, "ids": {}}
    for name, pre_tokenizer in [("gpt-2", pre_tokenizers.ByteLevel(add_prefix_space=False)), ("llama-bpe", split(LLAMA3)),
                                ("qwen2", split(QWEN2))]:
        tokenizer = byte_level(pre_tokenizer)
        with open(os.path.join(out, f"{name}.json"), "w", encoding="utf-8") as file:
            file.write(tokenizer.to_str(pretty=False))
        # Special tokens in a text are plain text: encode with a tokenizer that has none.
        plain = json.loads(tokenizer.to_str())
        plain["added_tokens"] = []
        plain = Tokenizer.from_str(json.dumps(plain))
        expected["ids"][name] = [plain.encode(text, add_special_tokens=False).ids for text in TEXTS]
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=420, model_type="bpe",
                                   byte_fallback=True, normalization_rule_name="identity", minloglevel=2,
                                   remove_extra_whitespaces=False, num_threads=1)
    with open(os.path.join(out, "sentencepiece.model"), "wb") as file:
        file.write(model.getvalue())
    processor = spm.SentencePieceProcessor(model_proto=model.getvalue())
    expected["ids"]["sentencepiece"] = [processor.encode(text) for text in TEXTS]
    expected["made_by"] = "tests/golden/make/make_tokenizers.py"
    with open(os.path.join(out, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=True, separators=(",", ":"))


main(sys.argv[1])
