#include "convert/export_hugging_face.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/words.hpp"
#include "convert/export_tensors.hpp"
#include "convert/export_tokenizer.hpp"
#include "models/hf_config_writer.hpp"
#include "models/hf_json_writer.hpp"
#include "sys/atomic_folder.hpp"
#include "sys/mapped_file.hpp"

namespace tern::convert {
namespace {

using models::ActivationPolicy;
using models::BitNetStorage;
using models::TensorRole;

constexpr std::string_view kConfig = "config.json";
constexpr std::array<std::pair<std::string_view, BitNetStorage>, 3> kSpellings{
    {{"masters", BitNetStorage::online_masters},
     {"packed_multiply", BitNetStorage::packed_multiply},
     {"packed_divide", BitNetStorage::packed_divide}}};

Result<std::string_view> dtype_in_config(files::Dtype dtype) {
  if (dtype == files::Dtype::f32) return "float32";
  if (dtype == files::Dtype::f16) return "float16";
  if (dtype == files::Dtype::bf16) return "bfloat16";
  return fail(ErrorCode::usage, "float tensors cannot be stored as {}; choose f32, f16 or bf16",
              files::dtype_name(dtype));
}

std::int64_t count_named(const Source& source, std::string_view ending) {
  return std::ranges::count_if(source.tensors,
                               [&](const SourceTensor& tensor) { return tensor.name.ends_with(ending); });
}

// Every layer has it or none does, which is all that a configuration says.
Result<bool> in_all_layers(const Source& source, std::string_view ending) {
  const std::int64_t n = count_named(source, ending);
  if (n == 0 || n == source.parameters.n_layers) return n != 0;
  return fail(ErrorCode::unsupported, "{} of {} layers have a tensor \"{}\": no class of transformers has that", n,
              source.parameters.n_layers, ending);
}

Result<BitNetStorage> spelling_for(const Source& source, const HuggingFaceOptions& options) {
  if (source.parameters.linear_activation.mode != ActivationPolicy::Mode::per_token) return BitNetStorage::none;
  if (options.spelling == BitNetStorage::none) {
    return fail(ErrorCode::usage,
                "this model rounds its activations: choose the spelling masters, packed_multiply or packed_divide");
  }
  return options.spelling;
}

Result<void> check_rope(const Source& source) {
  const auto factors = std::ranges::find(source.tensors, TensorRole::rope_factors, &SourceTensor::role);
  if (factors == source.tensors.end()) {
    if (!source.llama3_rope) return {};
    return fail(ErrorCode::internal, "the source has a rule for rope factors, but no {}", "rope_freqs.weight");
  }
  if (source.llama3_rope) {
    std::vector<float> values(static_cast<std::size_t>(factors->shape.row_length()));
    TERN_TRY_DO(factors->read(0, 1, values));
    const models::HyperParameters& p = source.parameters;
    if (values == models::llama3_rope_factors(*source.llama3_rope, p.n_rotary, p.rope_base)) return {};
  }
  return fail(ErrorCode::unsupported,
              "{} holds rope factors, but not the rule (llama3 rope scaling) that they were made by, which config.json "
              "wants; export to GGUF instead",
              factors->name);
}

Result<models::HfModel> describe(const Source& source, const HuggingFaceOptions& options,
                                 const TokenizerFiles& tokenizer) {
  models::HfModel model;
  model.config.parameters = source.parameters;
  model.config.llama3_rope = source.llama3_rope;
  model.config.tied_embeddings =
      std::ranges::find(source.tensors, TensorRole::head, &SourceTensor::role) == source.tensors.end();
  TERN_TRY(model.config.storage, spelling_for(source, options));
  std::array<bool, 3> qkv{};
  for (const auto& [i, ending] : {std::pair(0U, ".attn_q.bias"), {1U, ".attn_k.bias"}, {2U, ".attn_v.bias"}}) {
    TERN_TRY(qkv[i], in_all_layers(source, ending));
  }
  if (qkv[0] != qkv[1] || qkv[0] != qkv[2])
    return fail(ErrorCode::unsupported, "some of query, key and value have biases: no class of transformers has that");
  model.qkv_biases = qkv[0];
  TERN_TRY(model.output_biases, in_all_layers(source, ".attn_output.bias"));
  if ((model.qkv_biases || model.output_biases) && model.config.storage == BitNetStorage::packed_multiply) {
    return fail(
        ErrorCode::unsupported,
        "transformers multiplies biases by the weights' scale in the packed_multiply spelling, which this model "
        "does not; choose packed_divide or masters");
  }
  TERN_TRY(model.dtype, dtype_in_config(options.dtype));
  model.bos = tokenizer.bos;
  model.eos = tokenizer.eos;
  model.pad = tokenizer.pad;
  return model;
}

// What stops text: the end of a text, and of a chat's turn where that is another token.
std::string generation_config(const TokenizerFiles& tokenizer) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  if (tokenizer.bos) out["bos_token_id"] = *tokenizer.bos;
  if (tokenizer.eos && tokenizer.eot && *tokenizer.eos != *tokenizer.eot) {
    out["eos_token_id"] = {*tokenizer.eos, *tokenizer.eot};
  } else if (tokenizer.eos) {
    out["eos_token_id"] = *tokenizer.eos;
  }
  if (tokenizer.pad) out["pad_token_id"] = *tokenizer.pad;
  return out.empty() ? "" : out.dump(2) + "\n";
}

Result<void> copy_file(const std::string& from, const std::string& to) {
  TERN_TRY(const sys::MappedFile file, sys::MappedFile::open(from));
  TERN_TRY(sys::AtomicFile out, sys::AtomicFile::create(to, false));
  TERN_TRY_DO(out.write(file.bytes()));
  return out.commit();
}

Result<std::uint64_t> write_weights(const std::string& path, const ExportTensors& planned, Progress& progress) {
  std::vector<files::SafetensorsTensor> stored;
  for (const ExportTensor& tensor : planned.tensors) stored.push_back(tensor.stored);
  TERN_TRY(auto writer, files::SafetensorsWriter::create(path, std::move(stored), {{"format", "pt"}}, false));
  progress.begin("writing", writer.file_bytes());
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < planned.tensors.size(); ++i) {
    const ExportTensor& tensor = planned.tensors[i];
    const auto sink = [&](std::span<const std::byte> bytes) -> Result<void> {
      if (progress.cancelled()) return fail(ErrorCode::cancelled, "stopped while {} was written", tensor.stored.name);
      TERN_TRY_DO(writer.write(bytes));
      done += bytes.size();
      progress.update(done, tensor.stored.name);
      return {};
    };
    TERN_TRY_DO(writer.begin_tensor(i));
    TERN_TRY_DO(tensor.write(sink));
  }
  TERN_TRY_DO(writer.commit());
  progress.end();
  return writer.file_bytes();
}

void tell(const Source& source, const ExportTensors& planned, HuggingFaceReport& report) {
  const bool is_ternary =
      std::ranges::any_of(source.tensors, [](const SourceTensor& tensor) { return tensor.is_ternary; });
  if (report.spelling == BitNetStorage::none && is_ternary)
    report.notes.emplace_back("the activations are floats, so the ternary matrices are written as floats");
  report.n_fitted_tensors = planned.n_fitted;
  report.n_moved_masters = planned.n_moved;
  report.largest_fitting_factor = planned.largest_factor;
  report.largest_scale_error = planned.largest_scale_error;
  if (planned.n_fitted > 0) {
    report.notes.push_back(fmt::format(
        "the masters of {} matrices were multiplied by factors within {:.1e} of 1, and {} of them put beside the "
        "border "
        "of their code, so that transformers rounds them as the model does; scales are within {:.1e} of its own",
        planned.n_fitted, planned.largest_factor, planned.n_moved, planned.largest_scale_error));
  }
}

}  // namespace

Result<BitNetStorage> spelling_by_name(std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& [spelling, storage] : kSpellings) {
    if (spelling == name) return storage;
    known.push_back(spelling);
  }
  return fail(ErrorCode::usage, "spelling \"{}\" is not known; choose masters, packed_multiply or packed_divide{}",
              printable(name), did_you_mean(printable(name), known));
}

std::string_view spelling_name(BitNetStorage storage) {
  const auto* found = std::ranges::find(kSpellings, storage, &std::pair<std::string_view, BitNetStorage>::second);
  return found == kSpellings.end() ? "floats" : found->first;
}

Result<HuggingFaceReport> write_hugging_face(const Source& source, const HuggingFaceOptions& options,
                                             Progress& progress) {
  TERN_TRY_DO(sys::may_write_folder(options.folder, kConfig, options.overwrite));
  if (!source.unknown.empty()) {
    return fail(ErrorCode::unsupported, "{} tensors of the source mean nothing to architecture {}, {} for one",
                source.unknown.size(), source.architecture->name, printable(source.unknown.front().name));
  }
  HuggingFaceReport report;
  TokenizerFiles tokenizer;
  if (!options.tokenizer.empty()) {
    TERN_TRY(tokenizer,
             find_tokenizer_files(options.tokenizer, source.parameters.n_vocab, source.parameters.n_ctx_train));
    for (const std::string& warning : tokenizer.warnings) report.notes.push_back("warning: " + warning);
  } else {
    report.notes.emplace_back("no tokenizer was named: the folder has none, and no ids of BOS and EOS");
  }
  TERN_TRY_DO(check_rope(source));
  TERN_TRY(const models::HfModel model, describe(source, options, tokenizer));
  TERN_TRY(const std::string config, models::write_hf_config(*source.architecture, model));
  report.spelling = model.config.storage;

  progress.begin("reading", source.tensors.size());
  std::uint64_t n_read = 0;
  TERN_TRY(const ExportTensors planned,
           export_tensors(source, report.spelling, options.dtype, [&](std::string_view name) {
             progress.update(n_read++, name);
             return !progress.cancelled();
           }));
  progress.end();
  report.n_tensors = planned.tensors.size();
  tell(source, planned, report);

  TERN_TRY(sys::AtomicFolder folder, sys::AtomicFolder::create(options.folder, kConfig, options.overwrite));
  TERN_TRY(report.file_bytes, write_weights(folder.file("model.safetensors"), planned, progress));
  report.files = {"model.safetensors", std::string(kConfig)};
  TERN_TRY_DO(sys::write_file(folder.file(kConfig), config, false));
  const auto add = [&](std::string_view name, const std::string& text) -> Result<void> {
    if (text.empty()) return {};
    report.files.emplace_back(name);
    return sys::write_file(folder.file(name), text, false);
  };
  TERN_TRY_DO(add("generation_config.json", generation_config(tokenizer)));
  TERN_TRY_DO(add("tokenizer_config.json", tokenizer.written_config));
  for (const auto& [name, from] : tokenizer.copies) {
    TERN_TRY_DO(copy_file(from, folder.file(name)));
    report.files.push_back(name);
  }
  TERN_TRY_DO(folder.commit());
  return report;
}

}  // namespace tern::convert
