// Ctrl-C as a flag that long work asks for, so that nothing is left broken. The flag is the one process-wide state the
// operating system forces on us; it is private to signals.cpp.
#pragma once

#include <csignal>

namespace tern::sys {

/// From now on SIGINT, SIGTERM and SIGHUP set the flag; a second one ends the process at once. Under nohup, which has
/// SIGHUP ignored, it stays so. The handler has a stack of its own: generated code may use the stack pointer for other
/// things (oneDNN's products before 3.12 let it point into the heap, which a handler on the thread's stack would
/// overwrite). That stack is the calling thread's alone, so other threads are started with InterruptsHeld.
void watch_interrupts();

/// Threads started while one lives never get SIGINT, SIGTERM or SIGHUP: the thread that watches does.
class InterruptsHeld {
 public:
  InterruptsHeld();
  ~InterruptsHeld();
  InterruptsHeld(const InterruptsHeld&) = delete;
  InterruptsHeld& operator=(const InterruptsHeld&) = delete;

 private:
  sigset_t before_{};
};

[[nodiscard]] bool interrupted();
/// Which signal came (for the exit code 128 + n), or 0.
[[nodiscard]] int interrupt_signal();
void clear_interrupt();

}  // namespace tern::sys
