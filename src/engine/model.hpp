// A model ready to run: file, kernels, compiled plan, tokenizer. Immutable and shared by any number of sessions.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/compiled_plan.hpp"
#include "models/model_file.hpp"
#include "text/tokenizer.hpp"

namespace tern::engine {

/// Where weights lie while the model runs.
enum class Pages : std::uint8_t {
  mapped,     // in the mapped file: ready at once, read more slowly
  huge,       // copied once into memory with 2 MiB pages
  automatic,  // huge for a model that is large enough to gain by it, where the machine has such pages and the memory
};

struct PagesName {
  std::string_view name;
  Pages pages;
};
/// The words of --pages and of reports.
inline constexpr std::array kPagesNames{PagesName{"auto", Pages::automatic}, PagesName{"huge", Pages::huge},
                                        PagesName{"mmap", Pages::mapped}};
[[nodiscard]] std::string_view pages_name(Pages pages);

struct LoadOptions {
  std::string isa;           // "" : the best this CPU has, or TERN_ISA
  bool check_memory = true;  // refuse a model that cannot fit instead of letting the machine swap
  Pages pages = Pages::mapped;
  int n_threads = 1;  // that pack and copy weights
  /// Ends the model in this pooling instead of its head; nothing: as the file says.
  std::optional<models::Pooling> pooling = {};
};

class Model {
 public:
  /// Opens, binds and packs. Errors: those of models::ModelFile::open and kernels::choose; out_of_memory; unsupported
  /// for Pages::huge where the kernel has none.
  [[nodiscard]] static Result<std::shared_ptr<const Model>> load(const std::string& path,
                                                                 const LoadOptions& options = {});
  [[nodiscard]] static Result<std::shared_ptr<const Model>> make(models::ModelFile file,
                                                                 const LoadOptions& options = {});

  [[nodiscard]] const models::ModelFile& file() const { return file_; }
  [[nodiscard]] const models::HyperParameters& parameters() const { return file_.parameters(); }
  [[nodiscard]] const kernels::Kernels& kernels() const { return kernels_; }
  [[nodiscard]] const CompiledPlan& plan() const { return *plan_; }
  /// Null when the file carries no tokenizer; tokenizer_error() then says why.
  [[nodiscard]] const text::Tokenizer* tokenizer() const { return tokenizer_ ? &*tokenizer_ : nullptr; }
  [[nodiscard]] const std::string& tokenizer_error() const { return tokenizer_error_; }
  /// Lines a person should see (a missing pre-tokeniser that was guessed).
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  /// mapped or huge.
  [[nodiscard]] Pages pages() const { return pages_; }
  [[nodiscard]] double load_seconds() const { return load_seconds_; }

 private:
  Model(models::ModelFile file, kernels::Kernels kernels) : file_(std::move(file)), kernels_(std::move(kernels)) {}

  models::ModelFile file_;
  kernels::Kernels kernels_;
  std::optional<CompiledPlan> plan_;
  std::optional<text::Tokenizer> tokenizer_;
  std::string tokenizer_error_;
  std::vector<std::string> warnings_;
  Pages pages_ = Pages::mapped;
  double load_seconds_ = 0.0;
};

}  // namespace tern::engine
