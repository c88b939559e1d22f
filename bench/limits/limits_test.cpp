// What the figures rest on: the loops do what is counted, a loop that this machine cannot run is not run, a buffer that
// a cache could hold is refused. No test looks at a speed.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "arithmetic_loops.hpp"
#include "crew.hpp"
#include "limits.hpp"
#include "measure_read.hpp"
#include "places.hpp"
#include "quantities.hpp"
#include "race.hpp"
#include "region.hpp"

namespace limits {
namespace {

std::vector<std::byte> some_bytes(std::size_t n) {
  std::vector<std::byte> bytes(n);
  std::uint64_t state = 88172645463325252;
  for (std::byte& b : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    b = static_cast<std::byte>(state >> 32);
  }
  return bytes;
}

/// Byte by byte: byte i counts 256^(i mod 8).
std::uint64_t sum_of_bytes(const std::byte* data, std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<std::uint64_t>(data[i]) << (8 * (i % 8));
  return sum;
}

TEST(ReadLoops, ReturnTheSumOfAllBytesForOddSizesAndAddresses) {
  const std::vector<std::byte> bytes = some_bytes(70'000);
  const auto loops = read_loops(detect_cpu());
  ASSERT_FALSE(loops.empty());
  for (const NamedReadLoop& loop : loops) {
    for (const std::size_t n :
         {0, 1, 7, 8, 9, 31, 63, 255, 256, 257, 511, 513, 1023, 1024, 1031, 2047, 4096, 12289, 65537}) {
      for (const std::size_t from : {0, 1, 5, 32}) {
        EXPECT_EQ(loop.sum(bytes.data() + from, n), sum_of_bytes(bytes.data() + from, n)) << loop.name << ", " << n;
      }
    }
  }
}

TEST(ReadLoops, SeeEverySingleByte) {
  std::vector<std::byte> bytes(5000);
  for (const NamedReadLoop& loop : read_loops(detect_cpu())) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = std::byte{1};
      ASSERT_EQ(loop.sum(bytes.data(), bytes.size()), std::uint64_t{1} << (8 * (i % 8))) << loop.name << ", byte " << i;
      bytes[i] = std::byte{0};
    }
  }
}

TEST(Region, KnowsTheSumsOfItsPagesWhateverTheyAre) {
  Crew crew(3);
  for (const Pages pages : {Pages::kHuge, Pages::kSmall, Pages::kFile}) {
    const auto region = Region::make(pages, 10'000'000, ::testing::TempDir(), crew);
    ASSERT_TRUE(region) << region.error();
    EXPECT_EQ(region->share_bytes(), 10'000'000 / 3 / kPageBytes * kPageBytes);
    for (int thread = 0; thread < 3; ++thread) {
      const std::size_t n = region->share_bytes() - 5 * kPageBytes;
      EXPECT_EQ(region->known_sum(thread, 3 * kPageBytes, n), sum_of_bytes(region->share(thread) + 3 * kPageBytes, n));
      EXPECT_NE(region->known_sum(thread, 0, n), region->known_sum(thread, kPageBytes, n));
    }
    EXPECT_GE(region->in_huge_pages(), 0);
    EXPECT_LE(region->in_huge_pages(), 1);
    if (pages == Pages::kSmall) {
      EXPECT_EQ(region->in_huge_pages(), 0);
    }
  }
}

TEST(Region, SaysWhereItCouldNotPutItsFile) {
  Crew crew(1);
  const auto region = Region::make(Pages::kFile, 1 << 20, "/no/such/folder", crew);
  ASSERT_FALSE(region);
  EXPECT_NE(region.error().find("/no/such/folder"), std::string::npos) << region.error();
}

#if defined(__x86_64__)

/// What one accumulator gains in one step: sums += f(a, b).
using Step = std::function<void(const std::byte* a, const std::byte* b, std::byte* sums)>;

int u8(const std::byte* p, std::size_t i) {
  return static_cast<int>(p[i]);
}
int s8(const std::byte* p, std::size_t i) {
  return static_cast<std::int8_t>(p[i]);
}

template <class Number>
void add(std::byte* sums, std::size_t i, Number value) {
  Number old;
  std::memcpy(&old, sums + i * sizeof(Number), sizeof(Number));
  const Number now = static_cast<Number>(old + value);
  std::memcpy(sums + i * sizeof(Number), &now, sizeof(Number));
}

int pair_of_products(const std::byte* a, const std::byte* b, std::size_t i) {
  return std::clamp(u8(a, 2 * i) * s8(b, 2 * i) + u8(a, 2 * i + 1) * s8(b, 2 * i + 1), -32768, 32767);
}

void maddubs16(const std::byte* a, const std::byte* b, std::byte* sums) {
  for (std::size_t i = 0; i < 16; ++i) add(sums, i, static_cast<std::uint16_t>(pair_of_products(a, b, i)));
}

void maddubs32(const std::byte* a, const std::byte* b, std::byte* sums) {
  for (std::size_t i = 0; i < 8; ++i) {
    add(sums, i, static_cast<std::uint32_t>(pair_of_products(a, b, 2 * i) + pair_of_products(a, b, 2 * i + 1)));
  }
}

std::array<std::byte, 32> looked_up(const std::byte* a, const std::byte* b) {
  std::array<std::byte, 32> found{};
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned index = static_cast<unsigned>(b[i]);
    if (index < 128) found[i] = a[i / 16 * 16 + index % 16];
  }
  return found;
}

void lookup8(const std::byte* a, const std::byte* b, std::byte* sums) {
  const auto found = looked_up(a, b);
  for (std::size_t i = 0; i < 32; ++i) add(sums, i, static_cast<std::uint8_t>(found[i]));
}

void lookup16(const std::byte* a, const std::byte* b, std::byte* sums) {
  const auto found = looked_up(a, b);
  for (std::size_t i = 0; i < 16; ++i)
    add(sums, i, static_cast<std::uint16_t>(u8(&found[0], 2 * i) + 256 * u8(&found[0], 2 * i + 1)));
}

void add16_l1(const std::byte* /*a*/, const std::byte* b, std::byte* sums) {
  for (std::size_t i = 0; i < 16; ++i) add(sums, i, static_cast<std::uint16_t>(u8(b, 2 * i) + 256 * u8(b, 2 * i + 1)));
}

template <std::size_t kLanes>
void fma(const std::byte* a, const std::byte* b, std::byte* sums) {
  for (std::size_t i = 0; i < kLanes; ++i) {
    float x, y, sum;
    std::memcpy(&x, a + 4 * i, 4);
    std::memcpy(&y, b + 4 * i, 4);
    std::memcpy(&sum, sums + 4 * i, 4);
    sum = std::fma(x, y, sum);
    std::memcpy(sums + 4 * i, &sum, 4);
  }
}

template <std::size_t kLanes>
void dot(const std::byte* a, const std::byte* b, std::byte* sums) {
  for (std::size_t i = 0; i < kLanes; ++i) {
    int sum = 0;
    for (std::size_t j = 4 * i; j < 4 * i + 4; ++j) sum += u8(a, j) * s8(b, j);
    add(sums, i, static_cast<std::uint32_t>(sum));
  }
}

void tile(const std::byte* a, const std::byte* b, std::byte* sums) {
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; column < 16; ++column) {
      int sum = 0;
      for (std::size_t k = 0; k < 64; ++k) sum += u8(a, 64 * row + k) * s8(b, k / 4 * 64 + 4 * column + k % 4);
      add(sums, 16 * row + column, static_cast<std::uint32_t>(sum));
    }
  }
}

struct Case {
  const char* name;
  const ArithmeticLoop* loop;
  Isa needs;
  Step step;
  double operations;  // of one vector, counted by hand: lanes times products per lane, or look-ups
};

const Case kCases[] = {
    {"maddubs16", &kMaddubs16, Isa::kAvx2, maddubs16, 16 * 2},
    {"maddubs32", &kMaddubs32, Isa::kAvx2, maddubs32, 8 * 4},
    {"lookup8", &kLookup8, Isa::kAvx2, lookup8, 32},
    {"lookup16", &kLookup16, Isa::kAvx2, lookup16, 32},
    {"add16_l1", &kAdd16L1, Isa::kAvx2, add16_l1, 16},
    {"fma_avx2", &kFmaAvx2, Isa::kAvx2, fma<8>, 8},
    {"vnni_avx", &kVnniAvx, Isa::kAvxVnni, dot<8>, 8 * 4},
    {"vnni_avx512", &kVnniAvx512, Isa::kAvx512Vnni, dot<16>, 16 * 4},
    {"fma_avx512", &kFmaAvx512, Isa::kAvx512, fma<16>, 16},
    {"amx_int8", &kAmx, Isa::kAmxInt8, tile, 16 * 16 * 64},
};

class Arithmetic : public ::testing::TestWithParam<Case> {};

TEST_P(Arithmetic, LoopLeavesInEveryAccumulatorWhatPlainArithmeticDoes) {
  const Case& c = GetParam();
  const ArithmeticLoop& loop = *c.loop;
  EXPECT_EQ(loop.operations, c.operations);
  EXPECT_GE(loop.n_accumulators, c.needs == Isa::kAmxInt8 ? 4 : 10);
  if (!detect_cpu().has(c.needs)) GTEST_SKIP() << c.name << " is not checked: this machine has no " << name(c.needs);
  if (c.needs == Isa::kAmxInt8) {
    ASSERT_TRUE(request_amx());
  }
  const std::size_t v = loop.vector_bytes;
  const auto n = static_cast<std::size_t>(loop.n_accumulators);
  std::vector<std::byte> operands = some_bytes(3 * v);
  std::vector<std::byte> sums = some_bytes((n + 4) * v);  // four that no loop of n accumulators may touch
  if (loop.of_floats) {
    for (auto* bytes : {&operands, &sums}) {
      for (std::size_t i = 0; i < bytes->size(); i += 4) {
        const float value = static_cast<float>(s8(bytes->data(), i)) / 16;
        std::memcpy(bytes->data() + i, &value, 4);
      }
    }
  }
  std::vector<std::byte> wanted = sums;
  for (const std::uint64_t n_steps : {1, 2, 3, 1000}) {
    for (std::uint64_t s = 0; s < n_steps; ++s) {
      for (std::size_t i = 0; i < n; ++i)
        c.step(operands.data(), operands.data() + v + i % 2 * v, wanted.data() + i * v);
    }
    loop.run(n_steps, operands.data(), sums.data());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      ASSERT_EQ(sums[i], wanted[i]) << c.name << ", accumulator " << i / v << ", byte " << i % v << ", steps "
                                    << n_steps;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Arithmetic, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TEST(Arithmetic, EveryLoopOfTheTableHasAModelHere) {
  std::vector<std::string> modelled, listed;
  for (const Case& c : kCases) modelled.emplace_back(c.name);
  for (const Entry& e : table()) {
    if (!e.id.starts_with("read_")) listed.emplace_back(e.id);
  }
  EXPECT_EQ(listed, modelled);
}

#endif

/// The flags of the first processor, as the kernel names them, with a space on either side of each.
std::string kernel_flags() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("flags")) return line.substr(line.find(':') + 1) + " ";
  }
  return "";
}

TEST(Cpu, AgreesWithTheKernel) {
  const std::string flags = kernel_flags();
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no flags here: nothing to compare with";
  const auto has = [&](const char* flag) { return flags.find(" " + std::string(flag) + " ") != std::string::npos; };
  const Cpu cpu = detect_cpu();
  EXPECT_EQ(cpu.avx2, has("avx2") && has("fma"));
  EXPECT_EQ(cpu.avx_vnni, has("avx_vnni"));
  EXPECT_EQ(cpu.avx512, has("avx512f"));
  EXPECT_EQ(cpu.avx512_vnni, has("avx512_vnni"));
  EXPECT_EQ(cpu.amx_int8, has("amx_tile") && has("amx_int8"));
}

TEST(Quantities, AreAvailableWhereTheProcessorHasWhatTheyNeed) {
  const Cpu cpu = detect_cpu();
  const auto all = quantities();
  ASSERT_EQ(all.size(), table().size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].available, cpu.has(table()[i].needs)) << all[i].id;
    EXPECT_EQ(all[i].needs.empty(), table()[i].needs == Isa::kAny) << all[i].id;
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(all[i].id, all[j].id);
  }
}

TEST(Measure, RefusesWhatTheProcessorLacksAndDoesNotRunIt) {
  bool ran = false;
  for (const Entry& e : table()) {
    if (e.needs == Isa::kAny) continue;
    const auto measured = measure_on(Cpu{}, e.id, 1, {.seconds = 0.001});
    ASSERT_FALSE(measured) << e.id;
    EXPECT_EQ(measured.error(), std::string(e.id) + ": not measured: this machine has no " +
                                    std::string(name(e.needs)) + " (the processor, or the system that runs on it)");
    ran = true;
  }
#if defined(__x86_64__)
  EXPECT_TRUE(ran);
#endif
  for (const Quantity& q : quantities()) {  // the same through the front door, for what is missing on this very machine
    if (!q.available) {
      EXPECT_FALSE(measure(q.id, 1, {.seconds = 0.001})) << q.id;
    }
  }
}

TEST(Measure, RunsEverythingThatIsAvailable) {
  for (const Quantity& q : quantities()) {
    if (!q.available) continue;
    const auto m = measure(q.id, 2, {.seconds = 0.05, .buffer_bytes = 1 << 20, .allow_cache_sizes = true});
    ASSERT_TRUE(m) << m.error();
    EXPECT_TRUE(std::isfinite(m->best) && m->median > 0 && m->best >= m->median) << q.id;
    EXPECT_GE(m->n_bursts, 5) << q.id;
    EXPECT_EQ(m->in_huge_pages.has_value(), q.id.starts_with("read_")) << q.id;
    ASSERT_FALSE(m->attempts.empty());
    for (const Attempt& a : m->attempts) EXPECT_LE(a.best, m->best);
    EXPECT_EQ(m->attempts[0].best, m->best);
    if (q.id.starts_with("read_")) {
      EXPECT_EQ(m->attempts.size(), read_loops(detect_cpu()).size());
    }
  }
}

std::string refusal(std::string_view id, int n_threads, const Options& options) {
  const auto measured = measure(id, n_threads, options);
  return measured ? "not refused" : measured.error();
}

TEST(Measure, RefusesABufferThatACacheMayHold) {
  EXPECT_EQ(
      refusal("read_huge", 1, {.buffer_bytes = 999'999'999}),
      "read_huge: a buffer of 999999999 bytes may sit in a cache; at least 1000000000, or say that a cache's speed is "
      "wanted");
  EXPECT_GE(default_buffer_bytes(), kMinBufferBytes);
}

TEST(Measure, RefusesWhatMakesNoSense) {
  EXPECT_NE(refusal("read_hug", 1, {}).find("no such quantity; there are read_huge, "), std::string::npos);
  EXPECT_NE(refusal("read_huge", 0, {}).find("with 0 threads"), std::string::npos);
  EXPECT_NE(refusal("read_huge", 5000, {}).find("with 5000 threads"), std::string::npos);
  EXPECT_NE(refusal("read_huge", 1, {.seconds = 0}).find("above 0"), std::string::npos);
  EXPECT_NE(refusal("read_huge", 1, {.seconds = NAN}).find("above 0"), std::string::npos);
  EXPECT_NE(refusal("read_huge", 1, {.buffer_bytes = std::size_t{1} << 60}).find("free memory"), std::string::npos);
  const Options tiny{.buffer_bytes = 4096, .allow_cache_sizes = true};
  EXPECT_NE(refusal("read_huge", 2, tiny).find("less than a page"), std::string::npos);
}

TEST(Crew, LetsAllThreadsGoTogetherAndWaitsForTheLast) {
  for (const int n : {1, 2, 7}) {
    Crew crew(n);
    for (int round = 0; round < 200; ++round) {
      std::atomic<int> here = 0;
      std::atomic<bool> alone = false;
      const double seconds = crew.run([&](int thread) {
        here += 1 << (3 * thread);
        for (int spins = 0; std::popcount(static_cast<unsigned>(here.load())) != n; ++spins) {
          if (spins > 100'000'000) {  // a thread was not let go before another one had finished
            alone = true;
            return;
          }
          std::this_thread::yield();
        }
      });
      ASSERT_FALSE(alone);
      ASSERT_GE(seconds, 0);
      int once = 0;
      for (int i = 0; i < n; ++i) once += 1 << (3 * i);
      ASSERT_EQ(here, once);
    }
  }
}

TEST(Places, KeepThreadsApartOnCoresOfTheirOwnWhileThereAreEnough) {
  const std::vector<std::vector<int>> four_cores_of_two = {{0, 1, 2, 3}, {4, 5, 6, 7}};
  const auto at = [&](int n_threads, std::uint32_t burst) {
    const Places places(four_cores_of_two, n_threads);
    std::vector<int> processors;
    for (int i = 0; i < n_threads; ++i) processors.push_back(places.processor(i, burst));
    return processors;
  };
  EXPECT_EQ(at(1, 0), (std::vector<int>{0}));
  EXPECT_EQ(at(1, 8), (std::vector<int>{1}));
  EXPECT_EQ(at(2, 7), (std::vector<int>{0, 2}));
  EXPECT_EQ(at(2, 8), (std::vector<int>{1, 3}));
  EXPECT_EQ(at(2, 16), (std::vector<int>{0, 2}));
  EXPECT_EQ(at(3, 99), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(at(4, 8), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(at(5, 8), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(at(8, 8), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(at(9, 0), std::vector<int>(9, -1));
  const Places here = Places::of_this_process(1);
  EXPECT_GE(here.processor(0, 0), 0);
}

TEST(Race, GivesEveryRunnerItsTurnsAndOrdersThem) {
  std::vector<int> turns(6);
  std::vector<Runner> runners;
  const std::array<const char*, 6> names = {"1", "6", "3", "5", "2", "4"};
  for (std::size_t i = 0; i < 6; ++i) {
    runners.push_back({names[i], [&turns, &names, i] { return std::atof(names[i]) + (++turns[i] == 1 ? 0.5 : 0); }});
  }
  const auto attempts = race(runners, 1e-9);
  ASSERT_EQ(attempts.size(), 6);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(attempts[i].loop, std::to_string(6 - i));
    EXPECT_EQ(attempts[i].best, 6.5 - static_cast<double>(i));
    EXPECT_EQ(attempts[i].n_bursts, i < 3 ? 5 : 2);
    EXPECT_EQ(attempts[i].median, static_cast<double>(6 - i) + (i < 3 ? 0 : 0.25));
  }
  EXPECT_EQ(turns, (std::vector<int>{2, 5, 2, 5, 2, 5}));
  EXPECT_TRUE(race({{"wrong", [] { return -1.0; }}}, 1).empty());
}

struct Ran {
  int status;
  std::string text;  // stdout and stderr
};

Ran run(const std::string& arguments) {
  FILE* pipe = ::popen(("\"" TERN_LIMITS_PROGRAM "\" " + arguments + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> part;
  for (std::size_t n; (n = std::fread(part.data(), 1, part.size(), pipe)) > 0;) text.append(part.data(), n);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

TEST(Program, AnswersBadOptionsWithOneLineAndTwo) {
  for (const char* bad : {"-t", "-t 0", "-t 1,", "-t 1,x", "--seconds 0", "--seconds=nan", "--bytes 5Q", "--bytes 900M",
                          "--bytes 99999999999999999G", "--only", "--only read_hug", "--json=1", "--quick", "extra"}) {
    const Ran ran = run(bad);
    EXPECT_EQ(ran.status, 2) << bad;
    EXPECT_TRUE(ran.text.starts_with("tern_limits: ")) << ran.text;
    EXPECT_EQ(ran.text.find('\n'), ran.text.size() - 1) << ran.text;
  }
}

TEST(Program, PrintsATableAndJson) {
  const std::string quick = "--seconds 0.01 --bytes 1M --cache --only read_small,amx_int8 -t 1,2";
  const Ran table_run = run(quick);
  EXPECT_EQ(table_run.status, 0) << table_run.text;
  EXPECT_NE(table_run.text.find("read_small   read, anonymous memory, 4 KiB pages  GB/s "), std::string::npos)
      << table_run.text;
  EXPECT_EQ(table_run.text.find("read_huge"), std::string::npos);
  const Ran json_run = run("--json " + quick);
  EXPECT_EQ(json_run.status, 0) << json_run.text;
  EXPECT_NE(json_run.text.find("\"id\": \"read_small\""), std::string::npos) << json_run.text;
  EXPECT_NE(json_run.text.find("\"threads\": 2, \"best\": "), std::string::npos) << json_run.text;
}

}  // namespace
}  // namespace limits
