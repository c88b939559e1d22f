// tern: the way into the program. What it does is in cli/program.cpp; the commands are listed in cli/all.hpp.
#include <cstdio>
#include <exception>
#include <new>

#include "cli/exit_code.hpp"
#include "cli/program.hpp"

int main(int argc, char** argv) {
  try {
    tern::cli::Program program;
    return program.run({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "tern: out of memory; use a smaller model or context\n");
    return tern::cli::exit_code(tern::ErrorCode::out_of_memory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tern: internal error: %s\n", error.what());
    return tern::cli::exit_code(tern::ErrorCode::internal);
  }
}
