// The committed vectors of training (golden/make/make_training.py says what is in them), and the plans and parameters
// of its whole models.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "files/safetensors.hpp"
#include "models/all.hpp"
#include "tests/support/data.hpp"
#include "tests/support/steps_in_double.hpp"

namespace tern::test {

class TrainingVectors {
 public:
  /// "steps", "quantisers", "llama_float", ...
  explicit TrainingVectors(const std::string& name) : file_(open(name)) {}

  [[nodiscard]] bool has(const std::string& tensor) const { return file_.find(tensor) != nullptr; }
  [[nodiscard]] std::vector<float> floats(const std::string& tensor) const {
    const files::StoredTensor* stored = file_.find(tensor);
    if (stored == nullptr) throw std::runtime_error("no tensor " + tensor);
    auto values = files::to_f32(*stored);
    if (!values) throw std::runtime_error(values.error().message);
    return *values;
  }
  [[nodiscard]] std::vector<double> doubles(const std::string& tensor) const {
    const std::vector<float> values = floats(tensor);
    return {values.begin(), values.end()};
  }
  [[nodiscard]] std::vector<std::int32_t> tokens(const std::string& tensor) const {
    std::vector<std::int32_t> out;
    for (const float value : floats(tensor)) out.push_back(static_cast<std::int32_t>(value));
    return out;
  }
  [[nodiscard]] std::size_t row_length(const std::string& tensor) const {
    return static_cast<std::size_t>(file_.find(tensor)->row_length());
  }
  /// What follows the prefix in the names that begin with it, in the order of the file.
  [[nodiscard]] std::vector<std::string> names_after(std::string_view prefix) const {
    std::vector<std::string> out;
    for (const files::StoredTensor& tensor : file_.tensors()) {
      if (tensor.name.starts_with(prefix)) out.push_back(tensor.name.substr(prefix.size()));
    }
    return out;
  }

  [[nodiscard]] const std::string& text(const std::string& key) const {
    const auto place = file_.metadata().find(key);
    if (place == file_.metadata().end()) throw std::runtime_error("no metadata " + key);
    return place->second;
  }
  [[nodiscard]] double number(const std::string& key) const { return std::strtod(text(key).c_str(), nullptr); }
  [[nodiscard]] std::int64_t integer(const std::string& key) const { return static_cast<std::int64_t>(number(key)); }

  /// Of a whole model: its plan ...
  [[nodiscard]] models::Plan plan() const {
    const auto architecture = models::by_name(text("architecture"));
    if (!architecture) throw std::runtime_error(architecture.error().message);
    models::HyperParameters p = (*architecture)->defaults();
    p.architecture = text("architecture");
    p.n_vocab = integer("n_vocab");
    p.n_ctx_train = 12;
    p.n_embd = integer("n_embd");
    p.n_ff = integer("n_ff");
    p.n_layers = integer("n_layers");
    p.n_heads = integer("n_heads");
    p.n_kv_heads = integer("n_kv_heads");
    p.head_dim = p.n_rotary = integer("head_dim");
    return (*architecture)->plan(p);
  }
  /// ... the parameters "initial", "gradient" or "final", by name ...
  [[nodiscard]] Parameters parameters(const std::string& part) const {
    Parameters out;
    for (const std::string& name : names_after(part + ".")) out[name] = doubles(part + "." + name);
    return out;
  }
  /// ... and the rows [4] of 13 tokens of a step.
  [[nodiscard]] Sequences batch(std::size_t step) const {
    const std::vector<std::int32_t> all = tokens("tokens");
    const std::size_t n_rows = 4;
    const std::size_t length = row_length("tokens");
    Sequences out;
    for (std::size_t row = step * n_rows; row < (step + 1) * n_rows; ++row) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * length);
      out.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(length));
    }
    return out;
  }

 private:
  static files::SafetensorsFile open(const std::string& name) {
    auto file = files::SafetensorsFile::open(source_file("tests/golden/data/training/" + name + ".safetensors"));
    if (!file) throw std::runtime_error(file.error().message);
    return std::move(*file);
  }

  files::SafetensorsFile file_;
};

}  // namespace tern::test
