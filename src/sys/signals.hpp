// Ctrl-C as a flag that long work asks for, so that nothing is left broken. The flag is the one process-wide state the
// operating system forces on us; it is private to signals.cpp.
#pragma once

namespace tern::sys {

/// From now on SIGINT, SIGTERM and SIGHUP set the flag; a second one ends the process at once. Under nohup, which has
/// SIGHUP ignored, it stays so.
void watch_interrupts();
[[nodiscard]] bool interrupted();
/// Which signal came (for the exit code 128 + n), or 0.
[[nodiscard]] int interrupt_signal();
void clear_interrupt();

}  // namespace tern::sys
