#include "cli/cache_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "base/words.hpp"
#include "kernels/kernels.hpp"

namespace tern::cli {
namespace {

Result<const formats::Format*> find(std::string_view option, std::string_view name) {
  for (const formats::Format* format : kernels::cache_formats()) {
    if (equal_ignoring_case(format->name, name)) return format;
  }
  const auto known = kernels::cache_format_names();
  return fail(ErrorCode::usage, "{} is \"{}\", expected {}{}", option, printable(name), fmt::join(known, ", "),
              did_you_mean(name, known));
}

}  // namespace

void CacheOptions::declare(CLI::App& app) {
  app.add_option("--cache-type-k", keys_,
                 fmt::format("format of the keys of past tokens: {} (default F16)",
                             fmt::join(kernels::cache_format_names(), ", ")))
      ->type_name("KV-TYPE");
  app.add_option("--cache-type-v", values_, "format of their values (default F16)")->type_name("KV-TYPE");
}

Result<engine::CacheFormats> CacheOptions::resolve() const {
  engine::CacheFormats formats;
  if (!keys_.empty()) {
    TERN_TRY(formats.keys, find("--cache-type-k", keys_));
  }
  if (!values_.empty()) {
    TERN_TRY(formats.values, find("--cache-type-v", values_));
  }
  return formats;
}

}  // namespace tern::cli
