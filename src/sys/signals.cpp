#include "sys/signals.hpp"

#include <array>
#include <csignal>
#include <cstddef>

namespace tern::sys {
namespace {

volatile std::sig_atomic_t g_signal = 0;

void on_signal(int number) {
  if (g_signal != 0) {
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
  g_signal = number;
}

/// Gives the calling thread a stack for handlers, unless it has one (a sanitizer's).
void set_signal_stack() {
  stack_t now{};
  if (sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0) return;
  alignas(64) static std::array<std::byte, std::size_t{64} << 10> memory;  // AMX alone has the kernel save 11 KiB
  stack_t ours{};
  ours.ss_sp = memory.data();
  ours.ss_size = memory.size();
  sigaltstack(&ours, nullptr);
}

}  // namespace

InterruptsHeld::InterruptsHeld() {
  sigset_t held;
  sigemptyset(&held);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&held, number);
  pthread_sigmask(SIG_BLOCK, &held, &before_);
}

InterruptsHeld::~InterruptsHeld() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void watch_interrupts() {
  set_signal_stack();
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_ONSTACK;  // and system calls are interrupted, so a waiting read returns
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction hangup{};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() {
  return g_signal != 0;
}
int interrupt_signal() {
  return g_signal;
}
void clear_interrupt() {
  g_signal = 0;
}

}  // namespace tern::sys
