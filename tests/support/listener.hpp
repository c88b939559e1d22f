// A Progress that keeps what it is told, and can say that the user asked to stop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/progress.hpp"

namespace tern::test {

class Listener final : public Progress {
 public:
  void note(std::string_view line) override { notes.emplace_back(line); }
  [[nodiscard]] bool cancelled() const override { return stop; }
  std::vector<std::string> notes;
  bool stop = false;
};

}  // namespace tern::test
