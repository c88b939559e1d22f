// --cache-type-k, --cache-type-v: what keys and values are kept in, with llama.cpp's names.
#pragma once

#include <string>

#include "engine/kv_cache.hpp"

namespace CLI {
class App;
}

namespace tern::cli {

struct CacheOptions {
  void declare(CLI::App& app);
  /// Errors: usage for anything that no cache is kept in.
  [[nodiscard]] Result<engine::CacheFormats> resolve() const;

 private:
  std::string keys_;
  std::string values_;
};

}  // namespace tern::cli
