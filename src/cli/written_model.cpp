#include "cli/written_model.hpp"

#include "base/words.hpp"
#include "cli/counted.hpp"

namespace tern::cli {

std::string written_line(const std::string& path, const convert::ConvertReport& report) {
  return fmt::format("{}: {}, {} in {}, {}", printable(path, 200), report.architecture,
                     counted(report.n_parameters, "parameter"), counted(report.n_tensors, "tensor"),
                     human_bytes(report.write.file_bytes));
}

Json written_json(const std::string& path, const convert::ConvertReport& report) {
  return {{"output", path},
          {"architecture", report.architecture},
          {"n_tensors", report.n_tensors},
          {"parameters", report.n_parameters},
          {"file_bytes", report.write.file_bytes}};
}

}  // namespace tern::cli
