// What the kinds of TokenModel share: a call that keeps an encoder's state and the texts that it still has views into.
// For the files that hold an encoder.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/token_model.hpp"

namespace tern::text {

/// `Kind` derives from this and brings, beside its Model: encode_plain(plain, is_first, state, out) const, and find.
template <typename Kind, typename Model>
class TokenModelOf : public TokenModel {
 public:
  explicit TokenModelOf(Model model) : model_(std::move(model)) {}
  [[nodiscard]] std::unique_ptr<Call> call() const override {
    return std::make_unique<CallOf>(static_cast<const Kind&>(*this));
  }

 protected:
  struct State {
    typename Model::Run run;
    std::deque<std::string> texts;  // the word cache keeps views into them
  };
  Model model_;

 private:
  class CallOf : public Call {
   public:
    explicit CallOf(const Kind& kind) : kind_(kind), state_{typename Model::Run(kind.model_), {}} {}
    Result<void> encode(std::string_view plain, bool is_first, std::vector<std::int32_t>& out) override {
      return kind_.encode_plain(plain, is_first, state_, out);
    }

   private:
    const Kind& kind_;
    State state_;
  };
};

[[nodiscard]] inline std::optional<std::int32_t> as_id(std::optional<std::uint32_t> index) {
  return index ? std::optional(static_cast<std::int32_t>(*index)) : std::nullopt;
}

}  // namespace tern::text
