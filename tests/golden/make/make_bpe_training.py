#!/usr/bin/env python3
"""Golden vectors of byte-level BPE training, by PyPI's `tokenizers`.

Usage: make_bpe_training.py OUT.json

Each case is a list of documents (its number in "texts") with the trainer's settings, the vocabulary (in the order of
ids, a space between two) and merges (a line each) that BpeTrainer makes of them, and the ids that the result gives for
the "probes". Texts are made here: sentences, letters of
many scripts, and small random alphabets whose pairs are full of ties and of tokens that come about in two ways. A case
whose result differs from run to run (hash order decides there) is left out and counted. Made with tokenizers 0.23.3.
"""
import json
import random
import sys

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
USUAL = ["<|begin_of_text|>", "<|end_of_text|>"]
PROBES = ["", " ", "the river runs", "It's 1984, isn't it?\r\n\n  x", "naïve Größe 東京 नमस्ते 😀", "abcabcabc aab bab", "aaaaaaaaaaaaa",
          "<|begin_of_text|>", "\u3000\u00a0\t\x00", "ſ'S 'Ll 12345"]


def train(case):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(vocab_size=case["vocab_size"], min_frequency=case["min_frequency"], special_tokens=case["special"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(case["documents"], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    vocab = sorted(model["vocab"], key=model["vocab"].get)
    assert [model["vocab"][token] for token in vocab] == list(range(len(vocab)))
    merges = [" ".join(merge) for merge in model["merges"]]
    plain = Tokenizer.from_str(tokenizer.to_str())
    ids = [plain.encode(text, add_special_tokens=False).ids for text in PROBES if "<|" not in text]
    return {"vocab": " ".join(vocab), "merges": "\n".join(merges), "ids": ids}


def case(name, documents, vocab_size, min_frequency=0, special=USUAL):
    return {"name": name, "documents": documents, "vocab_size": vocab_size, "min_frequency": min_frequency, "special": list(special)}


def sentences(rng, count):
    subjects = ["the river", "a small house", "my neighbour's dog", "the captain", "she", "an old clock", "der Fluß", "le café"]
    verbs = ["runs past", "looks at", "doesn't know", "remembers", "opens", "walked to", "sees", "it'll find"]
    objects = ["the harbour", "12 boats", "the year 1984", "a green door", "nothing at all", "東京", "the hills", "300 letters"]
    return [f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(objects)}{rng.choice(['.', '!', ', and', '?'])}" for _ in range(count)]


def small_alphabet(seed):
    """Words of few letters: ties everywhere, and tokens that two different merges make."""
    rng = random.Random(seed)
    letters = ["ab", "abc", "abcd", "aé東", "aaab", "abAB"][seed % 6]
    words = ["".join(rng.choice(letters) for _ in range(rng.randrange(1, 14))) for _ in range(40)]
    return [" ".join(rng.choice(words) for _ in range(60)) for _ in range(5)]


def main():
    rng = random.Random(7)
    prose = sentences(rng, 400)
    letters = list("  \n\t\r'sSdDabthe012.!-é東½\u3000😀\u0301\u200d\u00a0\x00\x7f") + ["ﬁ", "ſ", "नि", "안", "ق", "\U0001f1e9\U0001f1ea", "\ud7ff", "\U0010fffd"]
    odd = ["".join(rng.choice(letters) for _ in range(rng.randrange(1, 80))) for _ in range(150)]
    cases = [case("prose 258", prose, 258), case("prose 259", prose, 259), case("prose 300", prose, 300), case("prose 700", prose, 700),
             case("prose until it ends", prose, 5000), case("prose, each pair 3 times", prose, 5000, 3), case("prose, each pair 40 times", prose, 5000, 40),
             case("prose, each pair once", prose, 400, 1), case("one document", [" ".join(prose)], 500), case("no special tokens", prose, 400, 0, []),
             case("one special token", prose, 400, 0, ["<|endoftext|>"]), case("special tokens that are words", prose, 500, 0, ["the", "<s>", "Ġhouse", "é"]),
             case("a special token that is a byte", prose, 400, 0, ["a", "Ġ"]), case("odd letters", odd, 900), case("odd letters, 2 times", odd, 900, 2),
             case("empty documents", ["", "a", "", "ab ab"], 300), case("nothing", [""], 300),
             case("one long run", ["a" * 100, "aa", " " * 77, "=" * 33], 300), case("letters alone", list("abcdefgh") * 3, 300),
             case("control names in the text", ["<|begin_of_text|> <|end_of_text|>"] * 5, 320)]
    cases += [case(f"few letters {seed}", small_alphabet(seed), 420) for seed in range(1, 19)]
    kept, unstable = [], 0
    for one in cases:
        results = [train(one) for _ in range(4)]
        if any(result != results[0] for result in results):
            unstable += 1
            continue
        kept.append({**one, **results[0]})
    probes = [text for text in PROBES if "<|" not in text]
    texts = []  # each list of documents once
    for one in kept:
        if one["documents"] not in texts:
            texts.append(one["documents"])
        one["documents"] = texts.index(one["documents"])
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump({"probes": probes, "texts": texts, "cases": kept}, out, ensure_ascii=False, separators=(",", ":"))
        out.write("\n")
    print(f"{len(kept)} cases, {unstable} left out", file=sys.stderr)


if __name__ == "__main__":
    main()
