"""A small ctypes binding to libllama and libggml, for the scripts that need somebody else's answer.

Made for the libraries of npm package @node-llama-cpp/linux-x64 3.22.1 (folder bins/linux-x64; llama.cpp v0.5.0, whose
layouts of llama_model_params and llama_context_params are written down below). Other builds have other layouts: the binding
reads the library's own default values through its layout at start and stops when they are not where they should be.

The processor backend is chosen here and not by the library: libggml-cpu-haswell.so is AVX2 with FMA and F16C, nothing above.
The library's own choice on a newer processor may be AVX-512 or AMX, which rounds and is timed differently.
"""

import ctypes
import pathlib

import numpy as np

F16, F32 = 1, 0
FLASH_AUTO, FLASH_OFF, FLASH_ON = -1, 0, 1
LOAD_NONE, LOAD_MMAP = 0, 1

_p, _i32, _u32, _f32, _bool = ctypes.c_void_p, ctypes.c_int32, ctypes.c_uint32, ctypes.c_float, ctypes.c_bool


class ModelParams(ctypes.Structure):
    _fields_ = [("devices", _p), ("tensor_buft_overrides", _p), ("n_gpu_layers", _i32), ("split_mode", _i32),
                ("load_mode", _i32), ("lazy_mode", _i32), ("main_gpu", _i32), ("tensor_split", _p),
                ("progress_callback", _p), ("progress_callback_user_data", _p), ("kv_overrides", _p),
                ("vocab_only", _bool), ("check_tensors", _bool), ("use_extra_bufts", _bool), ("no_host", _bool),
                ("no_alloc", _bool), ("load_mtp", _bool)]


class ContextParams(ctypes.Structure):
    _fields_ = [("n_ctx", _u32), ("n_batch", _u32), ("n_ubatch", _u32), ("n_seq_max", _u32), ("n_rs_seq", _u32),
                ("n_outputs_max", _u32), ("n_outputs_max_per_seq", _u32), ("n_threads", _i32), ("n_threads_batch", _i32),
                ("ctx_type", _i32), ("rope_scaling_type", _i32), ("pooling_type", _i32), ("attention_type", _i32),
                ("flash_attn_type", _i32), ("rope_freq_base", _f32), ("rope_freq_scale", _f32),
                ("yarn_ext_factor", _f32), ("yarn_attn_factor", _f32), ("yarn_beta_fast", _f32),
                ("yarn_beta_slow", _f32), ("yarn_orig_ctx", _u32), ("defrag_thold", _f32), ("cb_eval", _p),
                ("cb_eval_user_data", _p), ("type_k", _i32), ("type_v", _i32), ("abort_callback", _p),
                ("abort_callback_data", _p), ("embeddings", _bool), ("offload_kqv", _bool), ("no_perf", _bool),
                ("op_offload", _bool), ("swa_full", _bool), ("kv_unified", _bool), ("samplers", _p),
                ("n_samplers", ctypes.c_size_t), ("ctx_other", _p)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", _i32), ("token", ctypes.POINTER(_i32)), ("embd", _p), ("pos", ctypes.POINTER(_i32)),
                ("n_seq_id", ctypes.POINTER(_i32)), ("seq_id", ctypes.POINTER(ctypes.POINTER(_i32))),
                ("logits", ctypes.POINTER(ctypes.c_int8))]


# What llama_*_default_params() of this build writes, where the layouts above say it is.
MODEL_DEFAULTS = {"n_gpu_layers": -1, "split_mode": 1, "load_mode": -1, "lazy_mode": 1, "main_gpu": 0,
                  "vocab_only": False, "use_extra_bufts": True, "load_mtp": False}
CONTEXT_DEFAULTS = {"n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "n_threads": 4,
                    "n_threads_batch": 4, "rope_scaling_type": -1, "pooling_type": -1, "attention_type": -1,
                    "flash_attn_type": -1, "yarn_beta_slow": -1.0, "defrag_thold": -1.0, "type_k": F16, "type_v": F16,
                    "embeddings": False, "offload_kqv": True, "kv_unified": False, "n_samplers": 0}

_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, _p)


class Libllama:
    """The libraries of one folder, with one processor backend (by the middle of its file's name)."""

    def __init__(self, folder, backend="haswell", quiet=True):
        folder = pathlib.Path(folder)
        self.backend = backend
        self.base = ctypes.CDLL(str(folder / "libggml-base.so"), mode=ctypes.RTLD_GLOBAL)
        self.ggml = ctypes.CDLL(str(self._one(folder, "libggml.v*.so", "libggml.so")), mode=ctypes.RTLD_GLOBAL)
        self.llama = ctypes.CDLL(str(self._one(folder, "libllama.v*.so", "libllama.so")))
        self._declare()
        if quiet:
            self._silent = _LOG(lambda level, text, user: None)
            self.llama.llama_log_set(self._silent, None)
        self.ggml.ggml_backend_load.restype = _p
        self.ggml.ggml_backend_load.argtypes = [ctypes.c_char_p]
        if not self.ggml.ggml_backend_load(str(folder / f"libggml-cpu-{backend}.so").encode()):
            raise SystemExit(f"{folder}: the backend {backend} could not be loaded")
        self.llama.llama_backend_init()
        self._check_layouts()
        self.version = {"llama": self.llama.llama_version().decode(), "ggml": self.base.ggml_version().decode(),
                        "commit": self.base.ggml_commit().decode(), "backend": f"libggml-cpu-{backend}.so"}

    @staticmethod
    def _one(folder, *patterns):
        for pattern in patterns:
            for path in sorted(folder.glob(pattern)):
                return path
        raise SystemExit(f"{folder}: none of {patterns} is there")

    def _declare(self):
        def entry(name, result, *arguments, library=self.llama):
            function = getattr(library, name)
            function.restype, function.argtypes = result, list(arguments)

        for name in ("ggml_version", "ggml_commit"):
            entry(name, ctypes.c_char_p, library=self.base)
        entry("ggml_quantize_chunk", ctypes.c_size_t, ctypes.c_int, _p, _p, ctypes.c_int64, ctypes.c_int64,
              ctypes.c_int64, _p, library=self.base)
        entry("llama_version", ctypes.c_char_p)
        entry("llama_backend_init", None)
        entry("llama_log_set", None, _LOG, _p)
        entry("llama_model_default_params", ModelParams)
        entry("llama_context_default_params", ContextParams)
        entry("llama_model_load_from_file", _p, ctypes.c_char_p, ModelParams)
        entry("llama_model_free", None, _p)
        entry("llama_model_get_vocab", _p, _p)
        entry("llama_model_n_ctx_train", _i32, _p)
        entry("llama_init_from_model", _p, _p, ContextParams)
        entry("llama_free", None, _p)
        entry("llama_n_ctx", _u32, _p)
        entry("llama_get_memory", _p, _p)
        entry("llama_memory_clear", None, _p, _bool)
        entry("llama_batch_init", Batch, _i32, _i32, _i32)
        entry("llama_batch_free", None, Batch)
        entry("llama_decode", _i32, _p, Batch)
        entry("llama_synchronize", None, _p)
        entry("llama_get_logits", ctypes.POINTER(_f32), _p)
        entry("llama_vocab_n_tokens", _i32, _p)
        entry("llama_vocab_bos", _i32, _p)
        entry("llama_vocab_get_add_bos", _bool, _p)
        entry("llama_tokenize", _i32, _p, ctypes.c_char_p, _i32, ctypes.POINTER(_i32), _i32, _bool, _bool)

    def _check_layouts(self):
        for params, expected in ((self.llama.llama_model_default_params(), MODEL_DEFAULTS),
                                 (self.llama.llama_context_default_params(), CONTEXT_DEFAULTS)):
            for field, value in expected.items():
                if getattr(params, field) != value:
                    raise SystemExit(f"{type(params).__name__}.{field}: expected the default {value}, read "
                                     f"{getattr(params, field)}: this build has another layout")

    def load(self, path, vocab_only=False, load_mode=None):
        """A model; mapped unless load_mode says otherwise. The caller frees it."""
        params = self.llama.llama_model_default_params()
        params.n_gpu_layers = 0
        params.vocab_only = vocab_only
        params.load_mode = LOAD_MMAP if load_mode is None else load_mode
        handle = self.llama.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            raise SystemExit(f"{path}: libllama does not load this file")
        return Model(self.llama, handle)


class Model:
    def __init__(self, llama, handle):
        self.llama, self.handle = llama, handle
        self.vocab = llama.llama_model_get_vocab(handle)
        self.n_vocab = llama.llama_vocab_n_tokens(self.vocab)
        self.n_ctx_train = llama.llama_model_n_ctx_train(handle)
        self.bos = llama.llama_vocab_bos(self.vocab)
        self.adds_bos = llama.llama_vocab_get_add_bos(self.vocab)

    def close(self):
        self.llama.llama_model_free(self.handle)

    def tokenize(self, text: bytes, add_special: bool, parse_special: bool = False) -> np.ndarray:
        ids = np.empty(len(text) + 16, dtype=np.int32)
        n = self.llama.llama_tokenize(self.vocab, text, len(text), ids.ctypes.data_as(ctypes.POINTER(_i32)), ids.size,
                                      add_special, parse_special)
        if n < 0:
            raise SystemExit(f"llama_tokenize wants room for {-n} ids, had {ids.size}")
        return ids[:n].copy()

    def context(self, n_ctx, n_threads=1, kv=F16, flash=FLASH_AUTO, n_batch=None):
        params = self.llama.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = n_batch or n_ctx
        params.n_ubatch = min(512, params.n_batch)
        params.n_threads = params.n_threads_batch = n_threads
        params.type_k = params.type_v = kv
        params.flash_attn_type = flash
        handle = self.llama.llama_init_from_model(self.handle, params)
        if not handle:
            raise SystemExit("libllama makes no context with these settings")
        return Context(self, handle, params.n_batch)


class Context:
    def __init__(self, model, handle, n_batch):
        self.model, self.llama, self.handle = model, model.llama, handle
        self.memory = self.llama.llama_get_memory(handle)
        self.batch = self.llama.llama_batch_init(n_batch, 0, 1)

    def close(self):
        self.llama.llama_batch_free(self.batch)
        self.llama.llama_free(self.handle)

    def clear(self):
        self.llama.llama_memory_clear(self.memory, True)

    def fill(self, ids, first_position, first_wanted):
        """Puts ids of sequence 0 into the batch; logits are wanted from index first_wanted on."""
        batch = self.batch
        batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            batch.token[i] = int(token)
            batch.pos[i] = first_position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 1 if i >= first_wanted else 0

    def decode(self):
        code = self.llama.llama_decode(self.handle, self.batch)
        if code != 0:
            raise SystemExit(f"llama_decode answered {code}")
        self.llama.llama_synchronize(self.handle)

    def logits(self, n) -> np.ndarray:
        """The logits of the last n wanted tokens, [n, n_vocab]; a view that the next decode overwrites."""
        return np.ctypeslib.as_array(self.llama.llama_get_logits(self.handle), shape=(n, self.model.n_vocab))

    def run(self, ids, first_position, first_wanted) -> np.ndarray:
        self.fill(ids, first_position, first_wanted)
        self.decode()
        return self.logits(len(ids) - first_wanted)
