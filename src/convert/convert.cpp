#include "convert/convert.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/words.hpp"
#include "convert/type_rules.hpp"
#include "formats/all.hpp"
#include "models/tokenizer_source.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/mapped_file.hpp"
#include "sys/path.hpp"

namespace tern::convert {
namespace {

std::string folder_of(const std::string& path) {
  return sys::is_directory(path) ? path : sys::folder_of(path);
}

// The embedding table may have more rows than the tokenizer has tokens; readers of GGUF want a name for each.
void pad_vocabulary(text::Vocabulary& vocabulary, std::int64_t n_rows) {
  if (vocabulary.types.empty()) vocabulary.types.assign(vocabulary.size(), text::TokenType::normal);
  for (auto id = static_cast<std::int64_t>(vocabulary.size()); id < n_rows; ++id) {
    vocabulary.tokens.push_back(fmt::format("[PAD{}]", id));
    vocabulary.types.push_back(text::TokenType::unused);
    if (!vocabulary.scores.empty()) vocabulary.scores.push_back(-1000.0F);
  }
}

Result<text::Vocabulary> read_vocabulary(const ConvertOptions& options, const Source& source, Progress& progress) {
  std::vector<std::string> warnings;
  const std::string path = options.tokenizer.empty() ? folder_of(options.source) : options.tokenizer;
  auto vocabulary = options.tokenizer.empty() && source.vocabulary
                        ? *source.vocabulary
                        : models::read_tokenizer(path, options.pre, warnings);
  for (const std::string& warning : warnings) progress.note("warning: " + warning);
  if (!vocabulary) {
    const bool is_of_source = options.tokenizer.empty() && vocabulary.error().code != ErrorCode::usage;
    if (!is_of_source) return std::unexpected(std::move(vocabulary).error());
    return fail(vocabulary.error().code, "{}; name one with --tokenizer", vocabulary.error().message);
  }
  if (static_cast<std::int64_t>(vocabulary->size()) > source.parameters.n_vocab) {
    return fail(
        ErrorCode::bad_input,
        "{}: has {} tokens but the model's embedding table only {} rows: this tokenizer belongs to another model", path,
        vocabulary->size(), source.parameters.n_vocab);
  }
  pad_vocabulary(*vocabulary, source.parameters.n_vocab);
  return vocabulary;
}

// Vectors stay F32; ternary matrices go to the ternary type asked for, or I2_S; the rest by the outtype.
const formats::Format& target_format(const SourceTensor& tensor, const ConvertOptions& options) {
  if (tensor.shape.is_vector()) return formats::kF32;
  const bool is_table = tensor.role == models::TensorRole::embedding || tensor.role == models::TensorRole::head;
  if (is_table && options.table != nullptr) return *options.table;
  if (options.outtype == nullptr) return *tensor.natural;
  if (options.outtype->is_ternary && is_table) return formats::kF16;
  return *options.outtype;
}

void tell_unknown(const std::vector<UnknownTensor>& unknown, Progress& progress) {
  for (std::size_t i = 0; i < std::min(unknown.size(), ConvertPlan::kMaxToldTensors); ++i) {
    progress.note(
        fmt::format("unknown tensor {} {} {}", printable(unknown[i].name, 120), unknown[i].shape, unknown[i].type));
  }
  if (unknown.size() > ConvertPlan::kMaxToldTensors)
    progress.note(fmt::format("and {} more; --dry-run lists them", unknown.size() - ConvertPlan::kMaxToldTensors));
}

}  // namespace

std::string size_label(std::int64_t n_parameters) {
  struct Unit {
    double size;
    std::string_view letter;
  };
  constexpr std::array<Unit, 4> kUnits{{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "K"}}};
  const auto n = static_cast<double>(n_parameters);
  const Unit* unit = std::ranges::find_if(kUnits, [&](const Unit& u) { return n >= u.size; });
  if (unit == kUnits.end()) unit = &kUnits.back();
  const double scaled = n / unit->size;
  return scaled < 9.95 ? fmt::format("{:.1f}{}", scaled, unit->letter) : fmt::format("{:.0f}{}", scaled, unit->letter);
}

Result<ConvertPlan> ConvertPlan::make(const ConvertOptions& options, Progress& progress) {
  TERN_TRY(Source opened, open_source(options.source));
  return of(std::move(opened), options, progress);
}

Result<ConvertPlan> ConvertPlan::of(Source opened, const ConvertOptions& options, Progress& progress) {
  ConvertPlan plan;
  plan.source_ = std::move(opened);
  const Source& source = plan.source_;
  plan.folder_ = folder_of(options.source);
  if (!options.dry_run) {
    tell_unknown(source.unknown, progress);
    TERN_TRY_DO(plan.ready());
  }
  TERN_TRY(const text::Vocabulary vocabulary, read_vocabulary(options, source, progress));
  for (const std::string& note : source.notes) progress.note(note);
  TERN_TRY_DO(plan.add_tensors(options, progress));

  files::Metadata metadata;
  metadata.set("general.architecture", std::string(source.architecture->name));
  metadata.set("general.type", std::string("model"));
  metadata.set("general.name", options.name.empty() ? source.name : options.name);
  metadata.set("general.size_label", size_label(plan.n_parameters_));
  models::write_hyper_parameters(source.parameters, metadata);
  models::write_vocabulary(vocabulary, metadata);
  TERN_TRY(plan.layout_, plan_layout(std::move(metadata), plan.jobs_));
  TERN_TRY(plan.output_bytes_, plan.layout_.file_bytes());
  return plan;
}

// Better no file than a wrong one.
Result<void> ConvertPlan::ready() const {
  const std::vector<UnknownTensor>& unknown = source_.unknown;
  if (unknown.empty()) return {};
  std::vector<std::string> first;
  for (std::size_t i = 0; i < std::min<std::size_t>(unknown.size(), 4); ++i)
    first.push_back(printable(unknown[i].name));
  return fail(ErrorCode::unsupported, "{}: {} of this checkpoint {} nothing to architecture {}: {}{}", folder_,
              unknown.size() == 1 ? "1 tensor" : fmt::format("{} tensors", unknown.size()),
              unknown.size() == 1 ? "means" : "mean", source_.architecture->name, fmt::join(first, ", "),
              unknown.size() > first.size() ? ", ..." : "");
}

Result<void> ConvertPlan::add_tensors(const ConvertOptions& options, Progress& progress) {
  FallbackNotes fallbacks;
  for (const SourceTensor& tensor : source_.tensors) {
    n_parameters_ += tensor.shape.n_elements();
    if (options.vocab_only) continue;
    const formats::Format& wanted = target_format(tensor, options);
    const formats::Format& taken = fitting_format(wanted, tensor.shape.row_length());
    if (&taken != &wanted) fallbacks.add(tensor.name, wanted, taken, tensor.shape.row_length());
    jobs_.push_back({.name = tensor.name,
                     .shape = tensor.shape,
                     .format = &taken,
                     .read = tensor.read,
                     .copy = {},
                     .measure = &taken != &formats::kI2_S && (tensor.is_ternary || taken.is_ternary),
                     .done = {}});
    TERN_TRY(const std::uint64_t n_bytes, formats::tensor_bytes(taken, tensor.shape));
    choices_.push_back({tensor.source_name, std::string(tensor.source_type), tensor.name, tensor.shape, &taken, n_bytes,
                        std::string(tensor.transform)});
  }
  fallbacks.tell(progress);
  return {};
}

std::string_view ConvertPlan::main_type() const {
  std::map<std::string_view, std::uint64_t> bytes_of;
  for (const ConvertChoice& choice : choices_) {
    if (choice.name.starts_with("blk.") && !choice.shape.is_vector()) bytes_of[choice.to->name] += choice.bytes;
  }
  const auto most = std::ranges::max_element(bytes_of, {}, [](const auto& pair) { return pair.second; });
  return most == bytes_of.end() ? "vocab" : most->first;
}

Result<ConvertReport> ConvertPlan::run(const ConvertOptions& options, Progress& progress) const {
  TERN_TRY_DO(ready());
  ConvertReport report;
  report.architecture = std::string(source_.architecture->name);
  report.n_tensors = jobs_.size();
  report.n_parameters = n_parameters_;
  auto written = write_gguf(options.outfile, layout_, jobs_, options.write, progress);
  // The output's own troubles name the output; what is wrong with a tensor is the source's.
  if (!written && written.error().code == ErrorCode::bad_input)
    return in_context(options.source, std::move(written).error());
  if (!written) return std::unexpected(std::move(written).error());
  report.write = std::move(*written);
  if (const std::string note = ternary_note(report.write); !note.empty()) progress.note(note);
  return report;
}

Result<ConvertReport> convert(const ConvertOptions& options, Progress& progress) {
  TERN_TRY(const ConvertPlan plan, ConvertPlan::make(options, progress));
  return plan.run(options, progress);
}

}  // namespace tern::convert
