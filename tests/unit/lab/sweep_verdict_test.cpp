// The verdict's rules on made-up figures: who wins, who ties, and what is said when too little is known.
#include "lab/sweep_verdict.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "formats/all.hpp"
#include "lab/report_sweep.hpp"
#include "lab/sweep_json.hpp"

namespace tern::lab {
namespace {

/// One text's comparison: a loss in nats with its standard error over `n_chunks` chunks; no error with one chunk.
TextScore score(double loss, double error, std::size_t n_chunks) {
  TextScore out;
  out.paired.n_tokens = 127 * n_chunks;
  out.paired.n_clusters = n_chunks;
  out.paired.base_perplexity = 20.0;
  out.paired.mean_difference = loss;
  out.paired.delta_perplexity = 20.0 * std::expm1(loss);
  out.paired.other_perplexity = 20.0 * std::exp(loss);
  out.perplexity = out.paired.other_perplexity;
  if (n_chunks > 1) {
    out.paired.standard_error = error;
    out.paired.interval = stats::Interval{loss - 2.0 * error, loss + 2.0 * error};
    out.paired.delta_interval =
        stats::Interval{20.0 * std::expm1(loss - 2.0 * error), 20.0 * std::expm1(loss + 2.0 * error)};
    out.paired.p_value = loss == 0.0 ? 1.0 : std::abs(loss) > 2.0 * error ? 0.001 : 0.5;
    out.paired.significant = *out.paired.p_value < 0.05;
  }
  return out;
}

FormatResult format(const formats::Format& which, double loss, double error, std::size_t n_chunks,
                    std::uint64_t megabytes, std::vector<double> speed) {
  FormatResult out;
  out.format = &which;
  out.embedding_bytes = megabytes * 1'000'000;
  out.file_bytes = (megabytes + 10) * 1'000'000;
  out.peak_memory = (megabytes + 20) * 1'000'000;
  out.texts = {score(loss, error, n_chunks)};
  out.mean = mean_over_texts(out.texts);
  out.generation = std::move(speed);
  out.prefill = out.generation;
  return out;
}

SweepResult result_of(std::vector<FormatResult> formats, std::int64_t n_chunks = 50) {
  SweepResult out;
  out.model.stored = &formats::kF32;
  out.model.path = "model.gguf";
  out.texts = {{.name = "text.raw",
                .path = "text.raw",
                .n_documents = 1,
                .n_tokens = 9999,
                .n_chunks = n_chunks,
                .n_scored = 127 * n_chunks}};
  out.formats = std::move(formats);
  out.repetitions = 5;
  out.n_cores = 2;
  out.margin = 0.005;
  for (std::size_t i = 0; i < out.formats.size() && !out.reference; ++i) {
    if (out.formats[i].error.empty()) out.reference = i;
  }
  adjust_p_values(out);
  return out;
}

const std::vector<double> kSlow{100, 101, 99, 100, 100.5};
const std::vector<double> kMiddle{150, 151, 149, 150, 150.5};
const std::vector<double> kFast{200, 202, 198, 201, 199};

TEST(SweepVerdict, TakesTheFastestFormatWhoseLossIsShownToBeSmall) {
  const Verdict verdict = judge(
      result_of({format(formats::kF32, 0, 0, 50, 80, kSlow), format(formats::kQ8_0, 0.0001, 0.0002, 50, 20, kMiddle),
                 format(formats::kQ6_K, 0.002, 0.0004, 50, 15, kFast),
                 format(formats::kQ3_K, 0.05, 0.002, 50, 8, {250, 251, 249, 250, 252})}));
  EXPECT_EQ(verdict.production.format, 2U);  // Q3_K is faster but loses 5 %
  EXPECT_EQ(verdict.least_memory.format, 3U);
  EXPECT_EQ(verdict.most_speed.format, 3U);
  EXPECT_EQ(verdict.no_measurable_loss.format, 1U);  // Q6_K's loss is small, but it is measurable
  EXPECT_NE(verdict.production.reason.find("2.00×"), std::string::npos) << verdict.production.reason;
  EXPECT_TRUE(verdict.warnings.empty());
}

TEST(SweepVerdict, DoesNotCallALossSmallForWantOfText) {
  // Not significant, but its interval reaches 3 %: nothing is shown.
  const Verdict verdict =
      judge(result_of({format(formats::kF32, 0, 0, 50, 80, kSlow), format(formats::kQ4_0, 0.01, 0.01, 50, 10, kFast)}));
  EXPECT_EQ(verdict.production.format, 0U);
  EXPECT_NE(verdict.production.reason.find("Q4_0"), std::string::npos) << verdict.production.reason;
  EXPECT_EQ(verdict.no_measurable_loss.format, 0U);
  EXPECT_NE(verdict.no_measurable_loss.reason.find("want of text"), std::string::npos);
}

TEST(SweepVerdict, TakesTheSmallerOfTwoFormatsAsFast) {
  const Verdict verdict = judge(result_of({format(formats::kF32, 0, 0, 50, 80, kSlow),
                                           format(formats::kQ8_0, 0.0001, 0.0002, 50, 20, {202, 199, 203, 198, 201}),
                                           format(formats::kQ6_K, 0.0002, 0.0002, 50, 15, kFast)}));
  EXPECT_EQ(verdict.production.format, 2U);
  ASSERT_EQ(verdict.production.ties.size(), 1U);
  EXPECT_EQ(verdict.production.ties.front(), 1U);
  EXPECT_EQ(verdict.most_speed.format, 1U) << "of two equals the one that loses less";
}

TEST(SweepVerdict, TellsSpeedsApartByRoundsAndNotByTheirSpread) {
  // A machine that slows down: the ranges overlap, yet b is 5 % faster in every round.
  const std::vector<double> a{100, 80, 60, 90, 70};
  std::vector<double> b;
  for (const double rate : a) b.push_back(rate * 1.05 * (1.0 + 0.0001 * static_cast<double>(b.size())));
  EXPECT_FALSE(speeds_tie(a, b));
  EXPECT_TRUE(speeds_tie({100, 90, 110}, {101, 95, 104}));
  EXPECT_TRUE(speeds_tie({100}, {200})) << "one round has no spread";
}

TEST(SweepVerdict, RecommendsNothingButTheReferenceOnOneChunk) {
  const SweepResult result =
      result_of({format(formats::kF32, 0, 0, 1, 80, kSlow), format(formats::kF16, 0.0, 0, 1, 40, kFast)}, 1);
  const Verdict verdict = judge(result);
  EXPECT_EQ(verdict.production.format, 0U);
  EXPECT_EQ(verdict.no_measurable_loss.format, 0U);
  ASSERT_EQ(verdict.warnings.size(), 1U);
  EXPECT_NE(verdict.warnings.front().find("one chunk"), std::string::npos);
  const auto json = to_json(result, verdict);
  EXPECT_TRUE(json["formats"][1]["texts"][0]["delta_interval"].is_null());
  EXPECT_TRUE(json["formats"][1]["texts"][0]["p_value"].is_null());
  EXPECT_FALSE(json["formats"][1]["texts"][0]["significant"].get<bool>());
}

TEST(SweepVerdict, WarnsAboutFewChunks) {
  const Verdict verdict = judge(result_of({format(formats::kF32, 0, 0, 4, 80, kSlow)}, 4));
  ASSERT_EQ(verdict.warnings.size(), 1U);
  EXPECT_NE(verdict.warnings.front().find("only 4 chunks"), std::string::npos);
}

TEST(SweepVerdict, SaysThatNoFormatHoldsTheEmbedding) {
  FormatResult broken;
  broken.format = &formats::kI2_S;
  broken.error = "I2_S holds only {-s, 0, +s}";
  const SweepResult result = result_of({broken});
  EXPECT_FALSE(result.reference);
  const Verdict verdict = judge(result);
  EXPECT_FALSE(verdict.production.format);
  EXPECT_FALSE(verdict.least_memory.format);
  EXPECT_FALSE(verdict.most_speed.format);
  EXPECT_FALSE(verdict.no_measurable_loss.format);
  EXPECT_NE(sweep_text(result, verdict, false).find("I2_S holds only"), std::string::npos);
  EXPECT_NE(sweep_page(result, verdict, "tern sweep", "").find("I2_S holds only"), std::string::npos);
  const auto json = to_json(result, verdict);
  EXPECT_EQ(json["formats"][0]["error"], broken.error);
  EXPECT_TRUE(json["verdict"]["production"]["format"].is_null());
}

TEST(SweepVerdict, NamesTheFirstFormatThatCanBeHeldAsTheReference) {
  FormatResult broken;
  broken.format = &formats::kI2_S;
  broken.error = "no";
  const SweepResult result = result_of({broken, format(formats::kF16, 0, 0, 50, 40, kSlow)});
  EXPECT_EQ(result.reference, 1U);
  EXPECT_EQ(judge(result).production.format, 1U);
}

TEST(SweepVerdict, DecidesWithoutSpeeds) {
  const Verdict verdict =
      judge(result_of({format(formats::kF32, 0, 0, 50, 80, {}), format(formats::kQ8_0, 0.0001, 0.0002, 50, 20, {}),
                       format(formats::kQ6_K, 0.0001, 0.0002, 50, 15, {})}));
  EXPECT_EQ(verdict.production.format, 2U);
  EXPECT_FALSE(verdict.most_speed.format);
}

TEST(SweepVerdict, WritesPercentWithTheDigitsThatTellItFromZero) {
  EXPECT_EQ(percent_text(0.0042), "+0.42 %");
  EXPECT_EQ(percent_text(-0.123), "-12.3 %");
  EXPECT_EQ(percent_text(0.00003), "+0.0030 %");
  EXPECT_EQ(percent_text(1e-9), "0.0000 %");
}

}  // namespace
}  // namespace tern::lab
