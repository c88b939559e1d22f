// What a name for an output must not be: empty, the standard output, or one of the files the command reads. The last is
// decided by device and inode, never by the text of a path, and --force does not lift it: overwriting an older result
// is what people mean by it, losing the original is not.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "files/gguf_reader.hpp"

namespace CLI {
class Option;
}

namespace tern::cli {

/// The option or argument takes the name of a file to write: "" and "-" are refused with the other usage errors.
void takes_output(CLI::Option* option);

/// The files of an opened model: all parts of a split one.
[[nodiscard]] std::vector<std::string> model_files(const files::GgufFile& file);

/// What convert may read of a checkpoint and a tokenizer that are a file or a folder each. In a folder that is every
/// file but .gguf, which are its results; beside a file, what configures it and its other parts.
[[nodiscard]] std::vector<std::string> checkpoint_files(const std::string& source, const std::string& tokenizer);

/// Errors: usage, when `output` is the same file as one of `inputs`.
[[nodiscard]] Result<void> keeps_inputs(const std::string& output, std::span<const std::string> inputs);

/// The same for an output of a command that reads a model and texts. Costs nothing while `output` does not exist.
[[nodiscard]] Result<void> keeps_model_and_texts(const std::string& output, const std::string& model,
                                                 std::span<const std::string> texts);

}  // namespace tern::cli
