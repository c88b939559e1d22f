#include "convert/convert.hpp"

#include "base/byte_cursor.hpp"
#include "convert/type_rules.hpp"
#include "files/kind.hpp"
#include "files/llama2c.hpp"
#include "files/safetensors.hpp"
#include "formats/all.hpp"
#include "models/tokenizer_source.hpp"
#include "models/vocabulary_gguf.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

std::string folder_of(const std::string& path) {
  if (sys::is_directory(path)) return path;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
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
  auto vocabulary = models::read_tokenizer(path, options.pre, warnings);
  for (const std::string& warning : warnings) progress.note(warning);
  if (!vocabulary) {
    if (!options.tokenizer.empty()) return std::unexpected(std::move(vocabulary).error());
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
const formats::Format& target_format(const SourceTensor& tensor, const formats::Format* outtype) {
  if (tensor.shape.is_vector()) return formats::kF32;
  if (outtype == nullptr) return *tensor.natural;
  const bool is_table = tensor.role == models::TensorRole::embedding || tensor.role == models::TensorRole::head;
  if (outtype->is_ternary && is_table) return formats::kF16;
  return *outtype;
}

// The content is of no kind. What the name promises was probably meant, so its reader says what is wrong with the file.
std::unexpected<Error> refuse_unknown(const std::string& path, files::FileKind kind) {
  if (path.ends_with(".safetensors")) {
    if (auto file = files::SafetensorsFile::open(path); !file) return std::unexpected(std::move(file).error());
  }
  if (path.ends_with(".bin") || path.ends_with(".pt") || path.ends_with(".pth")) {
    if (const auto file = sys::MappedFile::open(path); file && as_text(file->bytes()).starts_with("PK\x03\x04")) {
      return fail(ErrorCode::unsupported,
                  "{}: is a PyTorch (pickle) file, which can run code when read; save the model as safetensors", path);
    }
    if (auto file = files::Llama2cFile::open(path); !file) return std::unexpected(std::move(file).error());
  }
  return fail(ErrorCode::bad_input,
              "{}: is {}, expected a Hugging Face folder or .safetensors file, or a llama2.c checkpoint", path,
              files::kind_text(kind));
}

}  // namespace

Result<Source> open_source(const std::string& path) {
  TERN_TRY(const files::FileKind kind, files::detect_kind(path));
  switch (kind) {
    case files::FileKind::safetensors:
    case files::FileKind::safetensors_folder:
      return open_hugging_face(path);
    case files::FileKind::llama2c:
      return open_llama2c(path);
    case files::FileKind::gguf:
      return fail(ErrorCode::bad_input, "{}: is a GGUF file already; use tern quantize to change its types", path);
    case files::FileKind::tokenizer_folder:
    case files::FileKind::unknown:
      break;
  }
  return refuse_unknown(path, kind);
}

Result<ConvertReport> convert(const ConvertOptions& options, Progress& progress) {
  TERN_TRY(const Source source, open_source(options.source));
  TERN_TRY(const text::Vocabulary vocabulary, read_vocabulary(options, source, progress));
  for (const std::string& note : source.notes) progress.note(note);

  files::Metadata metadata;
  metadata.set("general.architecture", std::string(source.architecture->name));
  metadata.set("general.type", std::string("model"));
  metadata.set("general.name", source.name);
  models::write_hyper_parameters(source.parameters, metadata);
  models::write_vocabulary(vocabulary, metadata);

  ConvertReport report;
  report.architecture = std::string(source.architecture->name);
  report.n_tensors = source.tensors.size();
  std::vector<TensorJob> jobs;
  for (const SourceTensor& tensor : source.tensors) {
    const formats::Format& wanted = target_format(tensor, options.outtype);
    const formats::Format& taken = fitting_format(wanted, tensor.shape.row_length());
    if (&taken != &wanted) progress.note(fallback_note(tensor.name, wanted, taken, tensor.shape.row_length()));
    report.n_parameters += tensor.shape.n_elements();
    jobs.push_back({.name = tensor.name,
                    .shape = tensor.shape,
                    .format = &taken,
                    .read = tensor.read,
                    .copy = {},
                    .measure = &taken != &formats::kI2_S && (tensor.is_ternary || taken.is_ternary),
                    .done = {}});
  }
  TERN_TRY(files::GgufLayout layout, plan_layout(std::move(metadata), jobs));
  auto written = write_gguf(options.outfile, std::move(layout), jobs, options.write, progress);
  // The output's own troubles name the output; what is wrong with a tensor is the source's.
  if (!written && written.error().code == ErrorCode::bad_input)
    return in_context(options.source, std::move(written).error());
  if (!written) return std::unexpected(std::move(written).error());
  report.write = std::move(*written);
  if (const std::string note = ternary_note(report.write); !note.empty()) progress.note(note);
  return report;
}

}  // namespace tern::convert
