// A checkpoint in, a GGUF file out.
#pragma once

#include <optional>
#include <string>

#include "convert/source.hpp"
#include "convert/write_gguf.hpp"

namespace tern::convert {

struct ConvertOptions {
  std::string source;
  std::string outfile;
  const formats::Format* outtype = nullptr;  // null: auto, the source's own precision
  std::string tokenizer;                     // path; "": beside the source
  std::optional<std::string> pre;
  WriteOptions write;
};

struct ConvertReport {
  WriteReport write;
  std::string architecture;
  std::size_t n_tensors = 0;
  std::int64_t n_parameters = 0;
};

/// Notes (fallbacks, the rounding of ternary scales) go to the progress. Errors name file and tensor.
[[nodiscard]] Result<ConvertReport> convert(const ConvertOptions& options, Progress& progress);

}  // namespace tern::convert
