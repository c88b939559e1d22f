#include "sys/path.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace tern::sys {
namespace {

constexpr std::string_view kTemporary = ".tmp-";

}  // namespace

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

std::string file_name_of(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string stem_of(std::string_view path) {
  std::string name = file_name_of(path);
  if (const auto dot = name.rfind('.'); dot != name.npos && dot != 0) name.resize(dot);
  return name;
}

std::string beside(std::string_view path, std::string_view name) {
  return std::string(path.substr(0, path.rfind('/') + 1)).append(name);
}

std::string without_final_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

std::string temporary_of(std::string_view path) {
  return fmt::format("{}{}{}", path, kTemporary, ::getpid());
}

std::string_view written_as(std::string_view temporary) {
  const std::size_t at = temporary.rfind(kTemporary);
  if (at == std::string_view::npos) return {};
  const std::string_view process = temporary.substr(at + kTemporary.size());
  if (process.empty() || process.find_first_not_of("0123456789") != std::string_view::npos) return {};
  return temporary.substr(0, at);
}

}  // namespace tern::sys
