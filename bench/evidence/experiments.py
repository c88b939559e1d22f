"""What is run for docs/training-evidence.md: experiments, each a list of runs; a run is a name, its settings and its seed.

All runs share a shape, a tokenizer, the data and its mixture; they differ in what the experiment asks about. Sizes and numbers of
tokens are small on purpose: all of it fits into four hours of one core each on two cores. Runs of two experiments with the same
settings are run once.
"""

BASE = {
    "model.architecture": "bitnet",
    "model.num_hidden_layers": 4,
    "model.num_attention_heads": 4,
    "model.num_key_value_heads": 2,
    "model.hidden_size": 256,
    "model.intermediate_size": 768,
    "data.context": 256,
    "data.mixture": '{"stories": 0.65, "books": 0.35}',
    "optimizer.tokens": 1_000_000,
    "optimizer.batch": 8,
    "optimizer.microbatch": 8,
    "schedule.warm_up": 40,
    "run.validate_every": 0,
    "run.sample_every": 0,
    "run.checkpoint_every": 50,
    "run.diverged_above": 0,
}
FLOAT = {"quantization.weights": "none", "quantization.activations": "none"}
TERNARY = {"quantization.weights": "absmean", "quantization.activations": "int8"}
BINARY = {"quantization.weights": "sign", "quantization.activations": "int8"}
KINDS = {"float": FLOAT, "ternary": TERNARY, "binary": BINARY}
# Without BitNet's norms before the output and down projections: how people train float models.
LLAMA = {"model.architecture": "llama", **FLOAT}

ONE_STAGE = {"schedule.kind": "linear", "schedule.last": 0.0}
# Half-way the rate drops by a third, as from 1.5e-3 to 1e-3 in the training tips of BitNet b1.58.
TWO_STAGE = {"schedule.kind": "two_stage", "schedule.first_end": 0.5, "schedule.second_peak": 0.333, "schedule.last": 0.02}
KEEP_DECAY = {"optimizer.weight_decay": 0.1, "optimizer.decay_until": 1.0}
DROP_DECAY = {"optimizer.weight_decay": 0.1, "optimizer.decay_until": 0.5}
NO_DECAY = {"optimizer.weight_decay": 0.0, "optimizer.decay_until": 1.0}

# What `rates` found best on the stories, by width; at 384, which was not tried, what suits 256.
BEST_RATE = {128: {"float": 4e-3, "ternary": 8e-3, "binary": 8e-3, "llama float": 4e-3},
             256: {"float": 2e-3, "ternary": 4e-3, "binary": 4e-3, "llama float": 2e-3}}
BEST_RATE[384] = BEST_RATE[256]


def run(name, seed, *settings, **more):
    merged = dict(BASE)
    for part in settings:
        merged.update(part)
    merged.update(more)
    merged["run.seed"] = seed
    return {"name": f"{name}-{seed}", "settings": merged}


def rate(value):
    return {"optimizer.learning_rate": value}


def rates():
    """1. Does ternary want a larger learning rate than float, and does too large a one break float first?"""
    small = [run(f"rates 128/{kind}-{value:g}", seed, settings, SIZES[128], ONE_STAGE, KEEP_DECAY, rate(value))
             for seed in (1, 2) for value in (2e-3, 4e-3, 8e-3, 1.6e-2) for kind, settings in KINDS.items()]
    plain = [run(f"rates 128/llama float-{value:g}", 1, SIZES[128], LLAMA, ONE_STAGE, KEEP_DECAY, rate(value))
             for value in (2e-3, 4e-3, 8e-3)]
    plain += [run(f"rates 256/llama float-{value:g}", 1, LLAMA, ONE_STAGE, KEEP_DECAY, rate(value)) for value in (4e-3, 2e-3)]
    middle = [run(f"rates 256/{kind}-{value:g}", 1, KINDS[kind], ONE_STAGE, KEEP_DECAY, rate(value))
              for value in (1e-3, 2e-3, 4e-3, 8e-3) for kind in ("float", "ternary")]
    return small + plain + middle


def stages():
    """2. For ternary: are two stages better than one, and is dropping the weight decay half-way better than keeping it?"""
    recipes = {
        "one stage, decay kept": (ONE_STAGE, KEEP_DECAY),
        "one stage, no decay": (ONE_STAGE, NO_DECAY),
        "one stage, decay dropped": (ONE_STAGE, DROP_DECAY),
        "two stages, decay kept": (TWO_STAGE, KEEP_DECAY),
        "two stages, decay dropped": (TWO_STAGE, DROP_DECAY),
    }
    return [run(f"stages/{name}", seed, TERNARY, *parts, rate(BEST_RATE[256]["ternary"]))
            for seed in (1, 2, 3) for name, parts in recipes.items()]


SIZES = {128: {"model.hidden_size": 128, "model.intermediate_size": 384, "model.num_attention_heads": 2,
               "model.num_key_value_heads": 1},
         256: {},
         384: {"model.hidden_size": 384, "model.intermediate_size": 1152, "model.num_attention_heads": 6,
               "model.num_key_value_heads": 3}}
# The files a person would keep, (matrices, embedding): formats that hold every width of SIZES.
FILES = {"float": [("F16", "F16"), ("Q8_0", "Q8_0")], "ternary": [("I2_S", "Q8_0")], "binary": [("Q1_0", "Q8_0")]}


def sizes():
    """3. Is ternary better than binary, are both behind float at equal parameters, and ahead of it at equal bytes?
    The largest runs once: it takes twice the time of the others."""
    plain = [run(f"sizes/llama float-{size}", 1, shape, LLAMA, ONE_STAGE, KEEP_DECAY, rate(BEST_RATE[size]["llama float"]))
             for size, shape in SIZES.items()]
    return plain + [
        run(f"sizes/{kind}-{size}", seed, settings, shape, ONE_STAGE, KEEP_DECAY, rate(BEST_RATE[size][kind]))
        for seed in (1, 2) for size, shape in SIZES.items() if (seed, size) != (2, 384)
        for kind, settings in KINDS.items()]


# Ten times the usual deviation of the first embeddings.
LARGER = {"model.embedding_initializer_range": 0.2}


def starts():
    """5. What do larger embeddings at the beginning do? The settings of `sizes`; most of it once."""
    same = [run(f"larger/{kind}-{size}", seed, settings, shape, ONE_STAGE, KEEP_DECAY, LARGER, rate(BEST_RATE[size][kind]))
            for seed in (1, 2) for size, shape in SIZES.items() if seed == 1 or size == 128
            for kind, settings in KINDS.items()]
    plain = [run(f"larger/llama float-{size}", 1, SIZES[size], LLAMA, ONE_STAGE, KEEP_DECAY, LARGER,
                 rate(BEST_RATE[size]["llama float"])) for size in (128, 256)]
    tried = [run(f"starts/ternary-{value:g}", 1, TERNARY, SIZES[128], ONE_STAGE, KEEP_DECAY, rate(BEST_RATE[128]["ternary"]),
                 **{"model.embedding_initializer_range": value}) for value in (0.1, 0.2, 0.4)]
    return same + plain + tried


EXPERIMENTS = {"stages": stages, "sizes": sizes, "rates": rates, "starts": starts}
