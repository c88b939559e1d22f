// Speed of every named pre-tokeniser on a whole text, one thread: words alone, and ids with the merges of a byte-level
// vocabulary, in MB/s of the best of five (time of that thread). One JSON object a name. What runs as rules from a file
// is the last line: LLaMA 3's pattern, counted.
// Usage: tern_bench_pre_tokenizer TOKENIZER TEXT
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "models/tokenizer_source.hpp"
#include "sys/mapped_file.hpp"
#include "text/pre_names.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/tokenizer.hpp"

namespace {

using namespace tern;

/// Time this thread has run: on a busy machine the wall clock measures the others.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <typename T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "tern_bench_pre_tokenizer: {}\n", result.error().message);
  std::exit(1);
}

template <typename Work>
double megabytes_per_second(std::size_t n_bytes, Work&& work) {
  double best = 1e30;
  for (int repetition = 0; repetition < 5; ++repetition) {
    const double start = thread_seconds();
    work();
    best = std::min(best, thread_seconds() - start);
  }
  return static_cast<double>(n_bytes) / best / 1e6;
}

double split_speed(const text::PreTokenizer& pre_tokenizer, std::string_view text, std::size_t& n_words) {
  return megabytes_per_second(text.size(), [&] {
    text::WordSplitter splitter(pre_tokenizer);
    splitter.start(text);
    n_words = 0;
    while (!need(splitter.next()).empty()) ++n_words;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: tern_bench_pre_tokenizer TOKENIZER TEXT\n");
    return 2;
  }
  std::vector<std::string> warnings;
  const text::Vocabulary vocabulary = need(models::read_tokenizer(argv[1], std::nullopt, warnings));
  if (vocabulary.kind != text::TokenizerKind::bpe) {
    fmt::print(stderr, "tern_bench_pre_tokenizer: {} is not a byte-level vocabulary\n", argv[1]);
    return 1;
  }
  const auto file = need(sys::MappedFile::open(argv[2]));
  const std::string text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  std::size_t n_words = 0;
  for (const std::string_view name : text::PreTokenizer::names()) {
    const auto pre_tokenizer = need(text::PreTokenizer::make(name));
    const double words = split_speed(pre_tokenizer, text, n_words);
    text::Vocabulary named = vocabulary;
    named.pre = name;
    const auto tokenizer = need(text::Tokenizer::make(std::move(named)));
    const double ids = megabytes_per_second(text.size(), [&] { need(tokenizer.encode(text)); });
    fmt::print("{{\"pre\": \"{}\", \"words\": {}, \"words_mb_s\": {:.1f}, \"ids_mb_s\": {:.1f}}}\n", name, n_words,
               words, ids);
    std::fflush(stdout);
  }
  const auto counted = need(text::PreTokenizer::make(text::find_pre_tokenizer("llama-bpe")->rules));
  const double words = split_speed(counted, text, n_words);
  fmt::print("{{\"pre\": \"llama-bpe as rules from a file\", \"words\": {}, \"words_mb_s\": {:.1f}}}\n", n_words,
             words);
}
