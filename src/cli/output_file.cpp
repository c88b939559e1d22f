#include "cli/output_file.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/words.hpp"
#include "sys/mapped_file.hpp"

namespace tern::cli {
void takes_output(CLI::Option* option) {
  option->check(CLI::Validator(
      [](const std::string& name) -> std::string {
        if (name.empty()) return "is empty, expected the name of a file to write";
        if (name == "-") return "is \"-\", expected the name of a file: the output cannot go to the standard output";
        return {};
      },
      ""));
}

std::vector<std::string> model_files(const files::GgufFile& file) {
  std::vector<std::string> paths;
  for (const files::GgufPart& part : file.parts()) paths.push_back(part.path);
  return paths;
}

std::vector<std::string> checkpoint_files(const std::string& source, const std::string& tokenizer) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  const auto add_folder = [&](const fs::path& folder, auto&& is_read) {
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (is_read(at->path().extension())) files.push_back(at->path());
    }
  };
  const auto not_a_result = [](const fs::path& ending) { return ending != ".gguf"; };
  const auto configures = [](const fs::path& ending) {
    return ending == ".json" || ending == ".model" || ending == ".safetensors";
  };
  if (sys::is_directory(source)) {
    add_folder(source, not_a_result);
  } else {
    files.push_back(source);
    const fs::path folder = fs::path(source).parent_path();
    add_folder(folder.empty() ? "." : folder, configures);
  }
  if (sys::is_directory(tokenizer)) {
    add_folder(tokenizer, not_a_result);
  } else if (!tokenizer.empty()) {
    files.push_back(tokenizer);
  }
  return files;
}

Result<void> keeps_inputs(const std::string& output, std::span<const std::string> inputs) {
  for (const std::string& input : inputs) {
    if (!sys::same_file(output, input)) continue;
    return fail(
        ErrorCode::usage, "{}: is {}, expected another name for the output: what is read is never overwritten",
        printable(output, 200),
        output == input ? "the input itself" : fmt::format("the same file as the input {}", printable(input, 200)));
  }
  return {};
}

Result<void> keeps_model_and_texts(const std::string& output, const std::string& model,
                                   std::span<const std::string> texts) {
  if (!sys::exists(output)) return {};
  TERN_TRY_DO(keeps_inputs(output, texts));
  const auto file = files::GgufFile::open(model);
  return keeps_inputs(output, file ? model_files(*file) : std::vector{model});
}

}  // namespace tern::cli
