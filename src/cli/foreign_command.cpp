#include "cli/foreign_command.hpp"

#include <algorithm>
#include <string>

#include "base/words.hpp"

namespace tern::cli {
namespace {

constexpr ForeignCommand kForeign[] = {
    {"merge concat concatenate gguf-merge", "use tern join"},
    {"gguf-split llama-gguf-split shard", "use tern split, and tern join to put parts together"},
    {"llama-quantize requantize requantise", "use tern quantize"},
    {"llama-cli main llama-simple llama-run llama-completion run-inference generate infer complete",
     "use tern run, or tern chat for a conversation"},
    {"llama-simple-chat talk converse", "use tern chat"},
    {"llama-perplexity ppl", "use tern perplexity"},
    {"llama-embedding embedding embeddings", "use tern embed"},
    {"llama-tokenize encode", "use tern tokenize"},
    {"spm-train train-bpe train-tokenizer bpe-train train-vocab", "use tern tokenizer train"},
    {"prepare pretokenize preprocess tokenize-dataset", "use tern data pack"},
    {"detokenize decode", "Tern makes no text of token ids; tern tokenize --pieces shows what each one spells"},
    {"convert-hf-to-gguf convert-llama-ggml-to-gguf convert-legacy-llama import", "use tern convert"},
    {"setup-env", "use tern convert, and tern quantize for other formats"},
    {"gguf-dump gguf-show llama-gguf inspect show describe metadata", "use tern info"},
    {"gguf-new-metadata gguf-set-metadata", "use tern quantize --override-kv KEY=TYPE:VALUE IN OUT COPY"},
    {"benchmark llama-bench llama-batched-bench e2e-benchmark", "use tern bench"},
    {"serve server llama-server run-inference-server api", "Tern has no server yet; use tern run or tern chat"},
    {"training finetune fine-tune llama-finetune", "use tern train (with --init MODEL to start from a model)"},
    {"imatrix llama-imatrix", "Tern makes no importance matrices yet; tern quantize works without one"},
    {"lora export-lora llama-export-lora", "Tern has no adapters"},
    {"llama-mtmd-cli llama-tts", "Tern runs one model of text alone"},
    {"pull download", "Tern downloads nothing; name a file that is there"},
};

}  // namespace

std::span<const ForeignCommand> foreign_commands() {
  return kForeign;
}

std::string_view command_elsewhere(std::string_view word) {
  std::string name(word);
  if (name.ends_with(".py")) name.resize(name.size() - 3);
  std::ranges::replace(name, '_', '-');
  for (const ForeignCommand& foreign : kForeign) {
    if (has_word(foreign.names, name)) return foreign.advice;
  }
  return {};
}

}  // namespace tern::cli
