// Where tests find their files: golden vectors in the tree, and the real texts and models outside it (TERN_DATA or
// ../shared/data beside the source tree), which a test must skip loudly without.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace tern::test {

inline std::string source_file(const std::string& relative) {
  return std::string(TERN_SOURCE_DIR) + "/" + relative;
}

/// The data folder, or "" when it is not there.
inline std::string data_folder() {
  const char* from_environment = std::getenv("TERN_DATA");
  const std::string folder =
      from_environment != nullptr ? from_environment : std::string(TERN_SOURCE_DIR) + "/../shared/data";
  return std::filesystem::is_directory(folder) ? folder : "";
}

/// A fresh temporary folder, removed when the object goes.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tern-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tern::test

/// Skips the test, saying why, when the data folder is missing.
#define TERN_NEEDS_DATA()                                                                           \
  do {                                                                                              \
    if (::tern::test::data_folder().empty())                                                        \
      GTEST_SKIP() << "SKIPPED: needs the data folder (set TERN_DATA or put it at ../shared/data)"; \
  } while (false)
