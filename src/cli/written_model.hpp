// What the commands that write a GGUF file of a model say at the end.
#pragma once

#include <string>

#include "cli/json_output.hpp"
#include "convert/convert.hpp"

namespace tern::cli {

/// "model.gguf: llama, 260,032 parameters in 48 tensors, 1.2 MB", without a newline.
[[nodiscard]] std::string written_line(const std::string& path, const convert::ConvertReport& report);

/// The same as members: output, architecture, n_tensors, parameters, file_bytes.
[[nodiscard]] Json written_json(const std::string& path, const convert::ConvertReport& report);

}  // namespace tern::cli
