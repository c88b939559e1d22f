// AMX-INT8 for processors without it: a handler of SIGILL that does what the tile instructions do, so that the compiled
// kernels run as they are. Slow (a signal for each instruction). Read from Intel's SDM (volume 1 chapter 18, volume 2:
// LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TILERELEASE, TDPBSSD and its kin), not from the kernels; what the manual
// forbids ends the program, so that a kernel that does it fails its test.
#pragma once

#if defined(__x86_64__)

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tern::test {

class AmxEmulator {
 public:
  /// From here on, in all threads. False: the handler was refused.
  static bool install() {
    struct sigaction action{};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGILL, &action, nullptr) == 0;
  }
  /// Instructions that this thread has run so.
  static std::int64_t n_run() { return state().n_run; }

 private:
  struct Tile {
    std::int64_t n_rows = 0;
    std::int64_t n_bytes = 0;
    std::array<std::array<std::uint8_t, 64>, 16> row{};
  };
  struct State {
    bool configured = false;
    std::array<Tile, 8> tiles;
    std::int64_t n_run = 0;
  };
  static State& state() {
    thread_local State state;
    return state;
  }

  [[noreturn]] static void refuse(std::string_view why) {
    constexpr std::string_view kWho = "AMX emulator: ";
    (void)!write(STDERR_FILENO, kWho.data(), kWho.size());
    (void)!write(STDERR_FILENO, why.data(), why.size());
    (void)!write(STDERR_FILENO, "\n", 1);
    abort();
  }

  /// A VEX instruction of map 0F38, taken apart: register operands and the address of a memory operand.
  struct Instruction {
    std::uint8_t opcode = 0;
    int prefix = 0;  // 0: none, 1: 66, 2: F3, 3: F2
    bool w = false;
    bool l = false;
    int vvvv = 0;
    int mod = 0;
    int reg = 0;
    int rm = 0;
    bool has_sib = false;
    std::uint64_t base = 0;   // base and displacement
    std::uint64_t index = 0;  // scaled
    std::int64_t length = 0;
  };

  static std::uint64_t register_value(const ucontext_t& context, int number) {
    constexpr std::array<int, 16> kNumbers = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return static_cast<std::uint64_t>(context.uc_mcontext.gregs[kNumbers[static_cast<std::size_t>(number)]]);
  }

  static Instruction decode(const ucontext_t& context) {
    const auto start = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
    const auto* p = reinterpret_cast<const std::uint8_t*>(start);
    if (p[0] != 0xc4 || (p[1] & 0x1f) != 2) refuse("an illegal instruction that is not of AMX");
    Instruction i;
    i.prefix = p[2] & 3;
    i.l = (p[2] & 4) != 0;
    i.vvvv = ~(p[2] >> 3) & 15;
    i.w = (p[2] & 0x80) != 0;
    i.opcode = p[3];
    i.mod = p[4] >> 6;
    i.reg = (p[4] >> 3 & 7) | ((p[1] & 0x80) != 0 ? 0 : 8);
    i.rm = p[4] & 7;
    const int more_base = (p[1] & 0x20) != 0 ? 0 : 8;
    const int more_index = (p[1] & 0x40) != 0 ? 0 : 8;
    i.length = 5;
    if (i.mod == 3) {
      i.rm |= more_base;
      return i;
    }
    int displacement = i.mod == 1 ? 1 : i.mod == 2 ? 4 : 0;
    bool relative = false;
    if (i.rm == 4) {
      const std::uint8_t sib = p[i.length++];
      i.has_sib = true;
      const int index = (sib >> 3 & 7) | more_index;
      if (index != 4) i.index = register_value(context, index) << (sib >> 6);
      if ((sib & 7) == 5 && i.mod == 0) {
        displacement = 4;
      } else {
        i.base = register_value(context, (sib & 7) | more_base);
      }
    } else if (i.rm == 5 && i.mod == 0) {
      displacement = 4;
      relative = true;
    } else {
      i.base = register_value(context, i.rm | more_base);
    }
    if (displacement == 1) {
      i.base += static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(p[i.length])));
    } else if (displacement == 4) {
      std::int32_t d;
      std::memcpy(&d, p + i.length, 4);
      i.base += static_cast<std::uint64_t>(static_cast<std::int64_t>(d));
    }
    i.length += displacement;
    if (relative) i.base += start + static_cast<std::uint64_t>(i.length);
    return i;
  }

  static void handle(int, siginfo_t*, void* raw) {
    auto& context = *static_cast<ucontext_t*>(raw);
    const Instruction i = decode(context);
    if (i.w || i.l) refuse("VEX.W or VEX.L is set");
    if (i.opcode != 0x5e && i.vvvv != 0) refuse("VEX.vvvv names a register where there is none");
    run(i, state());
    ++state().n_run;
    context.uc_mcontext.gregs[REG_RIP] += i.length;
  }

  static void run(const Instruction& i, State& s) {
    switch (i.opcode) {
      case 0x49:
        if (i.prefix == 0 && i.mod != 3 && i.reg == 0)
          return configure(reinterpret_cast<const std::uint8_t*>(i.base + i.index), s);
        if (i.prefix == 0 && i.mod == 3 && i.reg == 0 && i.rm == 0) {  // TILERELEASE
          s.configured = false;
          for (Tile& tile : s.tiles) tile = {};
          return;
        }
        if (i.prefix == 3 && i.mod == 3 && i.rm == 0) {  // TILEZERO
          tile(s, i.reg).row = {};
          return;
        }
        break;
      case 0x4b:
        if (i.mod == 3 || !i.has_sib) break;
        if (i.prefix == 3 || i.prefix == 1) return load(i, tile(s, i.reg));
        if (i.prefix == 2) return store(i, tile(s, i.reg));
        break;
      case 0x5e:
        if (i.mod != 3) break;
        return multiply(i, s);
      default:
        break;
    }
    refuse("an instruction that is not known");
  }

  static void configure(const std::uint8_t* p, State& s) {
    if (p[0] != 1) refuse("LDTILECFG: only palette 1 is known");
    if (p[1] != 0) refuse("LDTILECFG: a row to go on from");
    for (int b = 2; b < 16; ++b) {
      if (p[b] != 0) refuse("LDTILECFG: reserved bytes are not zero");
    }
    for (int t = 0; t < 16; ++t) {
      std::uint16_t n_bytes;
      std::memcpy(&n_bytes, p + 16 + 2 * t, 2);
      const int n_rows = p[48 + t];
      if (t >= 8) {
        if (n_bytes != 0 || n_rows != 0) refuse("LDTILECFG: more than eight tiles");
        continue;
      }
      if (n_bytes > 64 || n_rows > 16) refuse("LDTILECFG: a tile too large");
      if ((n_bytes == 0) != (n_rows == 0)) refuse("LDTILECFG: rows without bytes, or bytes without rows");
      s.tiles[static_cast<std::size_t>(t)] = {.n_rows = n_rows, .n_bytes = n_bytes, .row = {}};
    }
    s.configured = true;
  }

  static Tile& tile(State& s, int number) {
    if (!s.configured) refuse("tiles are not configured");
    if (number >= 8) refuse("no such tile");
    Tile& tile = s.tiles[static_cast<std::size_t>(number)];
    if (tile.n_rows == 0) refuse("a tile without rows");
    return tile;
  }

  static void load(const Instruction& i, Tile& tile) {
    for (std::int64_t r = 0; r < 16; ++r) {
      auto& row = tile.row[static_cast<std::size_t>(r)];
      row = {};
      if (r >= tile.n_rows) continue;
      const std::uint64_t from = i.base + static_cast<std::uint64_t>(r) * i.index;
      std::memcpy(row.data(), reinterpret_cast<const void*>(from), static_cast<std::size_t>(tile.n_bytes));
    }
  }

  static void store(const Instruction& i, const Tile& tile) {
    for (std::int64_t r = 0; r < tile.n_rows; ++r) {
      const std::uint64_t to = i.base + static_cast<std::uint64_t>(r) * i.index;
      std::memcpy(reinterpret_cast<void*>(to), tile.row[static_cast<std::size_t>(r)].data(),
                  static_cast<std::size_t>(tile.n_bytes));
    }
  }

  /// TDPBUUD, TDPBUSD, TDPBSUD, TDPBSSD: prefix none, 66, F3, F2.
  static void multiply(const Instruction& i, State& s) {
    const bool a_signed = i.prefix >= 2;
    const bool b_signed = (i.prefix & 1) != 0;
    if (i.reg == i.rm || i.reg == i.vvvv || i.rm == i.vvvv) refuse("TDP: a tile is named twice");
    Tile& sums = tile(s, i.reg);
    const Tile& a = tile(s, i.rm);
    const Tile& b = tile(s, i.vvvv);
    if (sums.n_bytes % 4 != 0 || a.n_bytes % 4 != 0 || b.n_bytes % 4 != 0) refuse("TDP: not whole words");
    if (sums.n_rows != a.n_rows) refuse("TDP: the sums' rows are not the first factor's");
    if (a.n_bytes / 4 != b.n_rows) refuse("TDP: the factors do not fit");
    if (sums.n_bytes != b.n_bytes) refuse("TDP: the sums' columns are not the second factor's");
    const auto value = [](std::uint8_t byte, bool is_signed) {
      return is_signed ? static_cast<std::int32_t>(static_cast<std::int8_t>(byte)) : static_cast<std::int32_t>(byte);
    };
    for (std::size_t m = 0; m < static_cast<std::size_t>(sums.n_rows); ++m) {
      for (std::size_t k = 0; k < static_cast<std::size_t>(a.n_bytes / 4); ++k) {
        for (std::size_t n = 0; n < static_cast<std::size_t>(sums.n_bytes / 4); ++n) {
          std::uint32_t sum;  // wraps, as the instruction does
          std::memcpy(&sum, sums.row[m].data() + 4 * n, 4);
          for (std::size_t byte = 0; byte < 4; ++byte) {
            sum += static_cast<std::uint32_t>(value(a.row[m][4 * k + byte], a_signed) *
                                              value(b.row[k][4 * n + byte], b_signed));
          }
          std::memcpy(sums.row[m].data() + 4 * n, &sum, 4);
        }
      }
      for (std::size_t byte = static_cast<std::size_t>(sums.n_bytes); byte < 64; ++byte) sums.row[m][byte] = 0;
    }
  }
};

}  // namespace tern::test

#endif
