#include "text/token_models.hpp"

#include <string>
#include <vector>

#include "base/words.hpp"

namespace tern::text {

const TokenModelKind& token_model_of(TokenizerKind kind) {
  for (const TokenModelKind* model : kTokenModels) {
    if (model->kind == kind) return *model;
  }
  return *kTokenModels.front();  // not reached: each value of TokenizerKind has its record
}

Result<const TokenModelKind*> find_token_model(std::string_view gguf_name) {
  std::vector<std::string> names;
  for (const TokenModelKind* model : kTokenModels) {
    if (model->gguf_name == gguf_name) return model;
    names.push_back(fmt::format("{} ({})", model->gguf_name, model->what));
  }
  return fail(ErrorCode::unsupported, "tokenizer model \"{}\" is not supported; Tern has {}", printable(gguf_name),
              fmt::join(names, ", "));
}

}  // namespace tern::text
