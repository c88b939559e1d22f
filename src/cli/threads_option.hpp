// --threads: how many, the same in every command that computes.
#pragma once

namespace CLI {
class App;
}

namespace tern::cli {

/// `n` stays 0 where nothing is given.
void declare_threads(CLI::App& app, int& n);

/// The number given; for 0 the cores this process may use.
[[nodiscard]] int threads_or_all(int n);

}  // namespace tern::cli
