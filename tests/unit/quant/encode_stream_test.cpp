// The streaming encoder against the obvious one, for every format and number of threads; its errors and its end.
#include "quant/encode_stream.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "formats/all.hpp"
#include "tests/support/kernel_cases.hpp"

namespace tern::quant {
namespace {

struct Source {
  std::vector<float> values;
  Shape shape;
  int passes = 0;
  std::int64_t next = 0;

  RowReader reader() {
    return [this](std::int64_t first, std::int64_t n_rows, std::span<float> out) -> Result<void> {
      if (first == 0) {
        ++passes;
        next = 0;
      }
      EXPECT_EQ(first, next) << "rows are read in order";
      next = first + n_rows;
      EXPECT_EQ(out.size(), static_cast<std::size_t>(n_rows * shape.row_length()));
      std::copy_n(values.begin() + first * shape.row_length(), out.size(), out.begin());
      return {};
    };
  }
};

Source source_of(const formats::Format& format, std::int64_t k, std::int64_t n_rows) {
  Source s{test::normal_values(k * n_rows, 3, 0.05), matrix_shape(k, n_rows)};
  if (format.is_ternary) {
    for (float& v : s.values) v = std::fabs(v) < 0.02F ? 0.0F : std::copysign(0.0625F, v);
  }
  return s;
}

struct Sink {
  std::vector<std::byte> bytes;
  ByteSink sink() {
    return [this](std::span<const std::byte> more) -> Result<void> {
      bytes.insert(bytes.end(), more.begin(), more.end());
      return {};
    };
  }
};

bool go_on(std::int64_t) {
  return true;
}

// 4096 x 280 values are more than the encoder holds at once, so that several blocks of rows are met.
constexpr std::int64_t kK = 4096;
constexpr std::int64_t kRows = 280;

class EncodeStream : public testing::TestWithParam<const formats::Format*> {};

TEST_P(EncodeStream, GivesTheBytesOfTheReferenceEncoderForAnyNumberOfThreads) {
  const formats::Format& format = *GetParam();
  for (const auto& [k, n_rows] : {std::pair{kK, kRows}, {std::int64_t{256}, std::int64_t{1}}}) {
    Source source = source_of(format, k, n_rows);
    std::vector<std::byte> expected(formats::tensor_bytes(format, source.shape).value());
    ASSERT_TRUE(formats::encode_tensor(format, "t", source.shape, source.values, expected).has_value());
    for (const int n_threads : {1, 2, 3}) {
      sys::ThreadPool pool(n_threads);
      Sink sink;
      source.passes = 0;
      std::int64_t rows_done = 0;
      const auto advance = [&](std::int64_t n) {
        rows_done += n;
        return true;
      };
      ASSERT_TRUE(encode_stream(format, "t", source.shape, source.reader(), sink.sink(), pool, advance).has_value());
      EXPECT_EQ(sink.bytes, expected) << n_threads << " threads";
      EXPECT_EQ(rows_done, n_rows);
      EXPECT_EQ(source.passes, format.tensor_scale == nullptr ? 1 : 2);
    }
  }
}

TEST_P(EncodeStream, NamesTheRowOfANanInALaterBlock) {
  const formats::Format& format = *GetParam();
  Source source = source_of(format, kK, kRows);
  source.values[270 * kK + 33] = std::numeric_limits<float>::quiet_NaN();
  source.values[271 * kK + 1] = std::numeric_limits<float>::infinity();  // the first one is reported
  sys::ThreadPool pool(3);
  Sink sink;
  const auto refused = encode_stream(format, "blk.7.w", source.shape, source.reader(), sink.sink(), pool, go_on);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_TRUE(refused.error().message.starts_with("blk.7.w: row 270, column ")) << refused.error().message;
}

INSTANTIATE_TEST_SUITE_P(Formats, EncodeStream, testing::ValuesIn(formats::kAll.begin(), formats::kAll.end()),
                         [](const auto& c) { return std::string(c.param->name); });

TEST(EncodeStreamErrors, I2SRefusesWhatIsNotTernaryAndCountsTheMagnitudes) {
  Source source{std::vector<float>(256 * 4, 0.0F), matrix_shape(256, 4)};
  for (std::size_t i = 0; i < 1024; ++i) source.values[i] = static_cast<float>(i % 37) * (i % 2 == 0 ? 1.0F : -1.0F);
  sys::ThreadPool pool(2);
  Sink sink;
  const auto refused = encode_stream(formats::kI2_S, "w", source.shape, source.reader(), sink.sink(), pool, go_on);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "w: I2_S holds only {−s, 0, +s}; this tensor has 36 distinct magnitudes");
  EXPECT_TRUE(sink.bytes.empty()) << "found in the first pass, before anything is written";
}

TEST(EncodeStreamErrors, RowsThatDoNotDivideAndErrorsOfReaderAndSinkComeOut) {
  sys::ThreadPool pool(1);
  Sink sink;
  Source source{std::vector<float>(100 * 2), matrix_shape(100, 2)};
  EXPECT_EQ(encode_stream(formats::kQ4_K, "w", source.shape, source.reader(), sink.sink(), pool, go_on).error().message,
            "Q4_K needs rows that divide by 256, got rows of 100");
  const RowReader broken = [](std::int64_t, std::int64_t, std::span<float>) -> Result<void> {
    return fail(ErrorCode::io, "reading failed");
  };
  EXPECT_EQ(encode_stream(formats::kF32, "w", source.shape, broken, sink.sink(), pool, go_on).error().message,
            "reading failed");
  EXPECT_EQ(encode_stream(formats::kI2_S, "w", matrix_shape(128, 2), broken, sink.sink(), pool, go_on).error().message,
            "reading failed");
  const ByteSink full = [](std::span<const std::byte>) -> Result<void> {
    return fail(ErrorCode::out_of_space, "disk full");
  };
  EXPECT_EQ(encode_stream(formats::kF32, "w", source.shape, source.reader(), full, pool, go_on).error().code,
            ErrorCode::out_of_space);
}

TEST(EncodeStreamErrors, StoppingIsSaidWithTheTensor) {
  Source source = source_of(formats::kQ8_0, kK, kRows);
  sys::ThreadPool pool(2);
  Sink sink;
  int asked = 0;
  const auto stopped = encode_stream(formats::kQ8_0, "blk.0.w", source.shape, source.reader(), sink.sink(), pool,
                                     [&](std::int64_t) { return ++asked < 2; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(stopped.error().message, "stopped at tensor blk.0.w; nothing was written");
  EXPECT_EQ(asked, 2);
}

TEST(EncodeReport, MeasuresTheErrorThatDecodingShows) {
  Source source = source_of(formats::kQ4_0, 512, 20);
  sys::ThreadPool pool(2);
  Sink sink;
  EncodeReport report;
  ASSERT_TRUE(
      encode_stream(formats::kQ4_0, "w", source.shape, source.reader(), sink.sink(), pool, go_on, &report).has_value());
  std::vector<float> decoded(source.values.size());
  ASSERT_TRUE(formats::decode_rows(formats::kQ4_0, source.shape, sink.bytes, 0, 20, decoded).has_value());
  double squared = 0.0;
  double squares = 0.0;
  double worst = 0.0;
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    const double error = static_cast<double>(decoded[i]) - static_cast<double>(source.values[i]);
    squared += error * error;
    squares += static_cast<double>(source.values[i]) * static_cast<double>(source.values[i]);
    worst = std::max(worst, std::abs(error));
  }
  EXPECT_EQ(report.n, 512 * 20);
  EXPECT_NEAR(report.rmse(), std::sqrt(squared / (512 * 20)), 1e-12);
  EXPECT_NEAR(report.relative_mse(), squared / squares, 1e-12);
  EXPECT_EQ(report.max_error, worst);
  EXPECT_GT(worst, 0.0);
  EXPECT_EQ(EncodeReport{}.rmse(), 0.0);
  EXPECT_EQ(EncodeReport{}.relative_mse(), 0.0);
}

}  // namespace
}  // namespace tern::quant
