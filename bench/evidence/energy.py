"""Energy of a model's matrix products for one token, by counting operations (BitNet, arXiv 2310.11453, section 3.3 and table 2):
an m x n matrix takes m (n - 1) additions and m n multiplications; with weights of -1, 0 and +1 the multiplications are only those
by the scales, m + n a token. A model of the arithmetic alone: nothing of memory, which on a CPU takes most. 7 nm, picojoules.
"""

ADD = {"FP32": 0.38, "FP16": 0.16, "INT8": 0.007}
MULTIPLY = {"FP32": 1.31, "FP16": 0.34, "INT8": 0.07}


def matrices(settings):
    """(rows, columns) of the blocks' matrices of a recipe."""
    width, inner = int(settings["model.hidden_size"]), int(settings["model.intermediate_size"])
    head = width // int(settings["model.num_attention_heads"])
    keys = head * int(settings["model.num_key_value_heads"])
    layer = [(width, width), (keys, width), (keys, width), (width, width), (inner, width), (inner, width), (width, inner)]
    return layer * int(settings["model.num_hidden_layers"])


def joules_per_token(settings, kind):
    """Of the blocks; embedding and head are the same in all kinds and left out."""
    total = 0.0
    for rows, columns in matrices(settings):
        if kind.endswith("float"):
            total += rows * (columns - 1) * ADD["FP16"] + rows * columns * MULTIPLY["FP16"]
        else:
            total += rows * (columns - 1) * ADD["INT8"] + (rows + columns) * MULTIPLY["FP16"]
    return total * 1e-12
