// tern info: what a GGUF file holds. Whatever can be said is said: a vocabulary-only file, an unknown architecture or a
// tensor type of somebody else's takes away only the lines that need it, and the reason stands in their place.
#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <vector>

#include "base/words.hpp"
#include "cli/all.hpp"
#include "cli/counted.hpp"
#include "cli/json_output.hpp"
#include "engine/memory_estimate.hpp"
#include "engine/session.hpp"
#include "files/kind.hpp"
#include "models/vocabulary_gguf.hpp"
#include "report/table.hpp"
#include "text/token_models.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kBatch = engine::SessionOptions{}.n_batch;

struct TypeTotal {
  std::uint64_t n_tensors = 0;
  std::uint64_t n_weights = 0;
  std::uint64_t n_bytes = 0;
};

std::string type_of(const files::GgufTensor& tensor) {
  return tensor.format == nullptr ? fmt::format("type {}", tensor.type_id) : std::string(tensor.format->name);
}

double bits(std::uint64_t n_bytes, std::uint64_t n_weights) {
  return n_weights == 0 ? 0.0 : 8.0 * static_cast<double>(n_bytes) / static_cast<double>(n_weights);
}

Json json_of(const files::MetaValue& value) {
  return std::visit(
      [&](const auto& v) -> Json {
        using T = std::remove_cvref_t<decltype(v)>;
        if constexpr (std::is_same_v<T, files::MetaStrings> || std::is_same_v<T, files::MetaArrays> ||
                      requires { v.begin(); }) {
          if constexpr (std::is_same_v<T, std::string>) return Json(v);
          // A vocabulary is no reading matter: arrays are given by type and length, short ones with their values as
          // text.
          return Json{{"type", value.type_text()}, {"n", value.n_elements()}, {"text", value.text(200)}};
        } else {
          return Json(v);
        }
      },
      value.storage);
}

class Info final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("FILE", file_, "GGUF file")->required();
    app.add_flag("--tensors", tensors_, "list every tensor");
    app.add_flag("--metadata", metadata_, "list every metadata key");
    app.add_flag("--plan", plan_, "list the steps that the model computes");
    app.add_flag("--json", json_, "one JSON value");
  }

  Result<void> run(Console& console) override {
    TERN_TRY(const files::KindOfPath found, files::detect_kind(file_));
    if (found.kind != files::FileKind::gguf && found.kind != files::FileKind::unknown) {
      return fail(ErrorCode::bad_input, "{}: is {}, expected a GGUF file; tern convert makes one", file_, found.what);
    }
    TERN_TRY(const files::GgufFile file, files::GgufFile::open(file_));
    auto model = models::ModelFile::open(file_);
    if (plan_ && !model) return std::unexpected(std::move(model).error());
    std::vector<std::string> warnings;
    const auto vocabulary = models::read_vocabulary(file.metadata(), warnings);
    for (const std::string& warning : warnings) console.note("warning: " + warning);
    if (json_) {
      print_json(console, as_json(file, model, vocabulary));
    } else {
      console.out(as_text(file, model, vocabulary, console.colour()));
    }
    return {};
  }

 private:
  using Model = Result<models::ModelFile>;
  using Vocabulary = Result<text::Vocabulary>;

  static std::map<std::string, TypeTotal> totals(const files::GgufFile& file, TypeTotal& all) {
    std::map<std::string, TypeTotal> by_type;
    for (const files::GgufTensor& tensor : file.tensors()) {
      for (TypeTotal* total : {&by_type[type_of(tensor)], &all}) {
        ++total->n_tensors;
        total->n_weights += static_cast<std::uint64_t>(tensor.shape.n_elements());
        total->n_bytes += tensor.n_bytes;
      }
    }
    return by_type;
  }

  // Why the model cannot be run, without the path, which stands above.
  [[nodiscard]] std::string reason(const Error& error) const {
    const std::string prefix = file_ + ": ";
    return error.message.starts_with(prefix) ? error.message.substr(prefix.size()) : error.message;
  }

  // What the metadata says of a length, whatever the architecture: "{architecture}.context_length" and the like.
  static std::optional<std::uint64_t> number(const files::GgufFile& file, std::string_view key) {
    const auto value = file.metadata().get_u64(fmt::format("{}.{}", file.architecture(), key));
    return value ? std::optional(*value) : std::nullopt;
  }

  static std::string window_text(const models::HyperParameters& p) {
    std::int64_t n_sliding = 0;
    for (std::int64_t layer = 0; layer < p.n_layers; ++layer) n_sliding += p.is_windowed(layer) ? 1 : 0;
    return fmt::format("{} in {} of {}", counted(p.window, "token"), n_sliding, counted(p.n_layers, "layer"));
  }

  [[nodiscard]] std::string as_text(const files::GgufFile& file, const Model& model, const Vocabulary& vocabulary,
                                    bool colour) const {
    std::string out;
    const auto line = [&](std::string_view name, const std::string& value) {
      out += fmt::format("{:<22}{}\n", name, value);
    };
    TypeTotal all;
    const auto by_type = totals(file, all);
    const std::size_t n_parts = file.parts().size();
    line("file", fmt::format("{}, {}{}, GGUF v{}", printable(file_, 200), human_bytes(file.file_bytes()),
                             n_parts == 1 ? "" : fmt::format(" in {} files", n_parts), file.version()));
    if (const auto name = file.metadata().get_string("general.name")) line("name", printable(*name, 100));
    line("architecture", file.architecture().empty() ? "not stated" : printable(file.architecture()));
    if (model) line("", std::string(model->architecture().summary));
    if (all.n_tensors > 0) {
      line("parameters", fmt::format("{} in {}", with_separators(all.n_weights), counted(all.n_tensors, "tensor")));
      line("bits per weight", fmt::format("{:.3f}", bits(all.n_bytes, all.n_weights)));
    }
    if (const auto* table = file.find("token_embd.weight"))
      line("token_embedding_type", fmt::format("{} {}", type_of(*table), table->shape.text()));
    if (model) {
      const models::HyperParameters& p = model->parameters();
      line("shape",
           fmt::format("{}, width {}, {} of {} ({} for keys and values), feed-forward {}", counted(p.n_layers, "layer"),
                       p.n_embd, counted(p.n_heads, "head"), p.head_dim, p.n_kv_heads, p.n_ff));
      line("activations", p.linear_activation.mode == models::ActivationPolicy::Mode::partner
                              ? "8 bits for quantised weights, float for F32, F16 and BF16"
                              : models::policy_name(p.linear_activation));
      if (p.window > 0) line("attention window", window_text(p));
      if (p.pooling != models::Pooling::none) {
        line("ends in", fmt::format("{} pooling: an embedding model, for tern embed", models::pooling_name(p.pooling)));
      }
    }
    if (const auto context = number(file, "context_length")) line("context", counted(*context, "token"));
    if (vocabulary) {
      line("tokenizer", fmt::format("{}, {}{}", counted(vocabulary->size(), "token"), vocabulary->source,
                                    vocabulary->chat_template.empty() ? "" : ", with a chat template"));
    } else {
      line("tokenizer", vocabulary.error().message);
    }
    if (model) {
      const auto need = engine::estimate_memory(*model, model->parameters().n_ctx_train, kBatch, {});
      line("memory needed",
           fmt::format("{}: weights {}{}, {} for {} of context, buffers {}", human_bytes(need.total()),
                       human_bytes(need.weights), need.packed == 0 ? "" : " + packed " + human_bytes(need.packed),
                       human_bytes(need.kv), counted(model->parameters().n_ctx_train, "token"),
                       human_bytes(need.buffers)));
    } else {
      line("cannot run", reason(model.error()));
    }
    if (all.n_tensors > 0) {
      report::Table table{
          .columns = {{"type", report::Align::left}, {"tensors"}, {"weights"}, {"bytes"}, {"bits/weight"}}, .rows = {}};
      for (const auto& [type, total] : by_type) {
        table.add({type, fmt::format("{}", total.n_tensors), with_separators(total.n_weights),
                   with_separators(total.n_bytes), fmt::format("{:.3f}", bits(total.n_bytes, total.n_weights))});
      }
      out += "\n" + report::to_text(table, colour);
    }
    if (tensors_) {
      report::Table table{.columns = {{"tensor", report::Align::left},
                                      {"type", report::Align::left},
                                      {"shape", report::Align::left},
                                      {"bytes"}},
                          .rows = {}};
      for (const files::GgufTensor& tensor : file.tensors()) {
        table.add({printable(tensor.name, 80), type_of(tensor), tensor.shape.text(), with_separators(tensor.n_bytes)});
      }
      out += "\n" + report::to_text(table, colour);
    }
    if (metadata_) {
      out += '\n';
      for (const auto& entry : file.metadata().entries()) {
        out += fmt::format("{} = {}  ({})\n", printable(entry.key, 100), entry.value.text(), entry.value.type_text());
      }
    }
    if (plan_) out += "\n" + model->plan().text();
    return out;
  }

  [[nodiscard]] Json as_json(const files::GgufFile& file, const Model& model, const Vocabulary& vocabulary) const {
    TypeTotal all;
    const auto by_type = totals(file, all);
    Json out;
    out["file"] = file_;
    out["file_bytes"] = file.file_bytes();
    out["n_files"] = file.parts().size();
    out["gguf_version"] = file.version();
    out["architecture"] = file.architecture();
    const auto name = file.metadata().get_string("general.name");
    out["name"] = name ? Json(*name) : Json();
    out["parameters"] = all.n_weights;
    out["n_tensors"] = all.n_tensors;
    out["tensor_bytes"] = all.n_bytes;
    out["bits_per_weight"] = all.n_weights == 0 ? Json() : Json(bits(all.n_bytes, all.n_weights));
    const auto* table = file.find("token_embd.weight");
    out["token_embedding_type"] = table == nullptr ? Json() : Json(type_of(*table));
    out["types"] = Json::object();
    for (const auto& [type, total] : by_type) {
      out["types"][type] = {{"tensors", total.n_tensors},
                            {"weights", total.n_weights},
                            {"bytes", total.n_bytes},
                            {"bits_per_weight", bits(total.n_bytes, total.n_weights)}};
    }
    const auto context = number(file, "context_length");
    out["context_length"] = context ? Json(*context) : Json();
    if (vocabulary) {
      const auto id = [](const std::optional<std::int32_t>& value) { return value ? Json(*value) : Json(); };
      out["tokenizer"] = {{"model", text::token_model_of(vocabulary->kind).gguf_name},
                          {"pre", vocabulary->pre},
                          {"n_tokens", vocabulary->size()},
                          {"bos", id(vocabulary->bos)},
                          {"eos", id(vocabulary->eos)},
                          {"add_bos", vocabulary->add_bos},
                          {"has_chat_template", !vocabulary->chat_template.empty()}};
    } else {
      out["tokenizer"] = nullptr;
      out["tokenizer_error"] = vocabulary.error().message;
    }
    out["can_run"] = model.has_value();
    if (model) {
      const models::HyperParameters& p = model->parameters();
      out["shape"] = {{"layers", p.n_layers},     {"width", p.n_embd},        {"heads", p.n_heads},
                      {"kv_heads", p.n_kv_heads}, {"head_width", p.head_dim}, {"feed_forward", p.n_ff},
                      {"vocabulary", p.n_vocab}};
      out["linear_activation"] = models::policy_name(p.linear_activation);
      out["tied_embedding"] = model->is_tied();
      const auto need = engine::estimate_memory(*model, p.n_ctx_train, kBatch, {});
      out["memory"] = {{"total", need.total()}, {"weights", need.weights}, {"packed", need.packed},
                       {"kv", need.kv},         {"buffers", need.buffers}, {"context", p.n_ctx_train}};
    } else {
      out["cannot_run"] = reason(model.error());
    }
    if (tensors_) {
      out["tensors"] = Json::array();
      for (const files::GgufTensor& tensor : file.tensors()) {
        const auto& ne = tensor.shape.ne;
        out["tensors"].push_back({{"name", tensor.name},
                                  {"type", type_of(tensor)},
                                  {"shape", std::vector<std::int64_t>(ne.begin(), ne.begin() + tensor.shape.n_dims)},
                                  {"offset", tensor.offset},
                                  {"bytes", tensor.n_bytes}});
      }
    }
    if (metadata_) {
      out["metadata"] = Json::object();
      for (const auto& entry : file.metadata().entries()) out["metadata"][entry.key] = json_of(entry.value);
    }
    if (plan_) out["plan"] = model->plan().text();
    return out;
  }

  std::string file_;
  bool tensors_ = false;
  bool metadata_ = false;
  bool plan_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_info() {
  return std::make_unique<Info>();
}

}  // namespace tern::cli
