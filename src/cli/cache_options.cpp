#include "cli/cache_options.hpp"

#include <CLI/CLI.hpp>

#include "formats/all.hpp"

namespace tern::cli {

void CacheOptions::declare(CLI::App& app) {
  app.add_option("--cache-type-k", keys_, "format of the keys of past tokens: F16, F32, Q8_0, Q4_0 (default F16)")
      ->type_name("KV-TYPE");
  app.add_option("--cache-type-v", values_, "format of their values (default F16)")->type_name("KV-TYPE");
}

Result<engine::CacheFormats> CacheOptions::resolve() const {
  engine::CacheFormats formats;
  if (!keys_.empty()) {
    auto known = formats::by_name(keys_);
    if (!known) return in_context("--cache-type-k", std::move(known).error());
    formats.keys = *known;
  }
  if (!values_.empty()) {
    auto known = formats::by_name(values_);
    if (!known) return in_context("--cache-type-v", std::move(known).error());
    formats.values = *known;
  }
  return formats;
}

}  // namespace tern::cli
