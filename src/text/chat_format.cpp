#include "text/chat_format.hpp"

#include <algorithm>

namespace tern::text {
namespace {

// The first family whose markers a template has is taken, so the more particular ones come first.
constexpr std::array<ChatFormat, 7> kFormats{{
    {.name = "chatml",
     .markers = {"<|im_start|>", "<|im_end|>"},
     .specials = {"<|im_start|>", "<|im_end|>"},
     .system = {"<|im_start|>system\n", "<|im_end|>\n"},
     .user = {"<|im_start|>user\n", "<|im_end|>\n"},
     .assistant = {"<|im_start|>assistant\n", "<|im_end|>\n"},
     .end = "<|im_end|>"},
    {.name = "llama-3",
     .markers = {"<|start_header_id|>", "<|eot_id|>"},
     .specials = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
     .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
     .user = {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
     .assistant = {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"},
     .end = "<|eot_id|>",
     .begins_with_bos = true},
    {.name = "gemma",
     .markers = {"<start_of_turn>", "<end_of_turn>"},
     .specials = {"<start_of_turn>", "<end_of_turn>"},
     .system = {"", "\n\n"},
     .system_in_user = true,
     .user = {"<start_of_turn>user\n", "<end_of_turn>\n"},
     .assistant = {"<start_of_turn>model\n", "<end_of_turn>\n"},
     .end = "<end_of_turn>",
     .begins_with_bos = true},
    {.name = "phi-3",
     .markers = {"<|user|>", "<|end|>"},
     .specials = {"<|system|>", "<|user|>", "<|assistant|>", "<|end|>"},
     .system = {"<|system|>\n", "<|end|>\n"},
     .user = {"<|user|>\n", "<|end|>\n"},
     .assistant = {"<|assistant|>\n", "<|end|>\n"},
     .end = "<|end|>"},
    {.name = "zephyr",
     .markers = {"<|user|>", "<|assistant|>"},
     .specials = {"<|system|>", "<|user|>", "<|assistant|>"},
     .system = {"<|system|>\n", "{eos}\n"},
     .user = {"<|user|>\n", "{eos}\n"},
     .assistant = {"<|assistant|>\n", "{eos}\n"},
     .end = ""},
    {.name = "llama-2",
     .markers = {"[INST]", ""},
     .specials = {},
     .system = {"<<SYS>>\n", "\n<</SYS>>\n\n"},
     .system_in_user = true,
     .user = {"[INST] ", " [/INST]"},
     .assistant = {"", " {eos}{bos}"},
     .end = "",
     .begins_with_bos = true},
    // The role's name with a capital, made by the template itself ("message['role'] | capitalize"), closed by
    // <|eot_id|>.
    {.name = "bitnet",
     .markers = {"capitalize", "<|eot_id|>"},
     .specials = {"<|eot_id|>"},
     .system = {"System: ", "<|eot_id|>"},
     .user = {"User: ", "<|eot_id|>"},
     .assistant = {"Assistant: ", "<|eot_id|>"},
     .end = "<|eot_id|>",
     .begins_with_bos = true},
}};

// Ids of a conversation, made piece by piece: plain text gathers until a special token stands behind it.
class ChatEncoder {
 public:
  ChatEncoder(const Tokenizer& tokenizer, const ChatFormat& format) : tokenizer_(tokenizer) {
    const Vocabulary& vocabulary = tokenizer.vocabulary();
    for (const std::string_view name : format.specials) {
      const auto id = name.empty() ? std::nullopt : tokenizer.find_special(name);
      if (id) names_.push_back({name, id});
    }
    names_.push_back({"{bos}", vocabulary.bos});
    names_.push_back({"{eos}", vocabulary.eos});
  }

  Result<void> add(const ChatPiece& piece) {
    std::string_view rest = piece.text;
    while (piece.is_scaffold && !rest.empty()) {
      std::size_t at = std::string_view::npos;
      const Name* next = nullptr;
      for (const Name& name : names_) {
        const auto found = rest.find(name.text);
        if (found < at) {
          at = found;
          next = &name;
        }
      }
      if (next == nullptr) break;
      plain_ += rest.substr(0, at);
      rest.remove_prefix(at + next->text.size());
      TERN_TRY_DO(flush());
      if (next->id) ids_.push_back(*next->id);
    }
    plain_ += rest;
    return {};
  }

  Result<std::vector<std::int32_t>> take() {
    TERN_TRY_DO(flush());
    return std::move(ids_);
  }

 private:
  struct Name {
    std::string_view text;
    std::optional<std::int32_t> id;  // {bos} and {eos} of a vocabulary without them leave nothing
  };

  Result<void> flush() {
    if (plain_.empty()) return {};
    TERN_TRY(const auto ids, tokenizer_.encode(plain_));
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    plain_.clear();
    return {};
  }

  const Tokenizer& tokenizer_;
  std::vector<Name> names_;
  std::string plain_;
  std::vector<std::int32_t> ids_;
};

}  // namespace

const ChatFormat* recognise_chat_format(std::string_view chat_template) {
  if (chat_template.empty()) return nullptr;
  const auto found = std::ranges::find_if(kFormats, [&](const ChatFormat& format) {
    return std::ranges::all_of(
        format.markers, [&](std::string_view marker) { return chat_template.find(marker) != std::string_view::npos; });
  });
  return found == kFormats.end() ? nullptr : &*found;
}

Result<std::vector<std::int32_t>> encode_chat(const Tokenizer& tokenizer, const ChatFormat& format,
                                              const std::vector<ChatPiece>& pieces) {
  ChatEncoder encoder(tokenizer, format);
  for (const ChatPiece& piece : pieces) TERN_TRY_DO(encoder.add(piece));
  return encoder.take();
}

}  // namespace tern::text
