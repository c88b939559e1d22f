// SentencePiece's ModelProto: pieces (field 1: text, score, type), trainer_spec (2: model type, special ids) and
// normalizer_spec (3: character map, space prefix, extra spaces). Types are numbered as in GGUF. A BPE model without a
// character map keeps extra spaces although it may say otherwise: those of LLaMA and llama2.c are used that way
// everywhere. Source: sentencepiece_model.proto.
#include <array>
#include <cmath>

#include "base/words.hpp"
#include "text/detect.hpp"
#include "text/protobuf_reader.hpp"
#include "text/readers.hpp"
#include "text/space_mark.hpp"

namespace tern::text {

namespace {

Result<void> expect_type(const ProtobufField& field, std::uint32_t wire_type, std::string_view what) {
  if (field.wire_type == wire_type) return {};
  return fail(ErrorCode::bad_input, "{} has protobuf wire type {}, expected {}: not a SentencePiece model", what,
              field.wire_type, wire_type);
}

Result<void> read_piece(Bytes message, Vocabulary& vocabulary) {
  const std::size_t id = vocabulary.size();
  std::string text;
  float score = 0.0F;
  std::int32_t type = 1;
  for (ProtobufReader reader(message); !reader.at_end();) {
    TERN_TRY(const ProtobufField field, reader.next());
    if (field.number == 1) {
      TERN_TRY_DO(expect_type(field, 2, "a piece's text"));
      text = field.text();
    } else if (field.number == 2) {
      TERN_TRY_DO(expect_type(field, 5, "a piece's score"));
      score = field.as_float();
    } else if (field.number == 3) {
      TERN_TRY_DO(expect_type(field, 0, "a piece's type"));
      type = field.as_int32();
    }
  }
  if (!std::isfinite(score)) return fail(ErrorCode::bad_input, "the score of piece {} is not a finite number", id);
  if (type < 1 || type > 6) return fail(ErrorCode::bad_input, "piece {} has type {}, expected 1 to 6", id, type);
  vocabulary.tokens.push_back(std::move(text));
  vocabulary.scores.push_back(score);
  vocabulary.types.push_back(static_cast<TokenType>(type));
  return {};
}

struct TrainerSpec {
  std::int32_t model_type = 1;  // 1 unigram, 2 bpe, 3 word, 4 char; absent means unigram
  bool marks_at_end = false;    // treat_whitespace_as_suffix
  std::int32_t unk = 0, bos = 1, eos = 2, pad = -1;
};

Result<TrainerSpec> read_trainer_spec(Bytes message) {
  TrainerSpec spec;
  for (ProtobufReader reader(message); !reader.at_end();) {
    TERN_TRY(const ProtobufField field, reader.next());
    if (field.wire_type != 0) continue;
    if (field.number == 3) spec.model_type = field.as_int32();
    if (field.number == 24) spec.marks_at_end = field.value != 0;
    if (field.number == 40) spec.unk = field.as_int32();
    if (field.number == 41) spec.bos = field.as_int32();
    if (field.number == 42) spec.eos = field.as_int32();
    if (field.number == 43) spec.pad = field.as_int32();
  }
  return spec;
}

struct NormalizerSpec {
  Bytes charsmap;
  bool add_prefix = true;
  bool remove_extra = true;
  bool escape = true;
};

Result<NormalizerSpec> read_normalizer_spec(Bytes message) {
  NormalizerSpec spec;
  for (ProtobufReader reader(message); !reader.at_end();) {
    TERN_TRY(const ProtobufField field, reader.next());
    if (field.number == 2 && field.wire_type == 2) spec.charsmap = field.bytes;
    if (field.wire_type != 0) continue;
    if (field.number == 3) spec.add_prefix = field.value != 0;
    if (field.number == 4) spec.remove_extra = field.value != 0;
    if (field.number == 5) spec.escape = field.value != 0;
  }
  return spec;
}

void apply(const NormalizerSpec& spec, Vocabulary& vocabulary) {
  vocabulary.add_space_prefix = spec.add_prefix;
  const auto* map = reinterpret_cast<const std::uint8_t*>(spec.charsmap.data());
  vocabulary.charsmap.assign(map, map + spec.charsmap.size());
  vocabulary.remove_extra_whitespaces =
      spec.remove_extra && (vocabulary.kind == TokenizerKind::unigram || !vocabulary.charsmap.empty());
  if (spec.escape) return;
  // Spaces stand as they are in this one; here they are spelled as everywhere else.
  for (std::string& token : vocabulary.tokens) token = spaces_to_marks(token);
}

}  // namespace

Result<Vocabulary> read_sentencepiece(Bytes bytes) {
  Vocabulary vocabulary;
  vocabulary.kind = TokenizerKind::spm;
  vocabulary.pre = "default";
  vocabulary.source = "SentencePiece model";
  vocabulary.add_space_prefix = true;
  TrainerSpec spec;
  NormalizerSpec normalizer;
  for (ProtobufReader reader(bytes); !reader.at_end();) {
    TERN_TRY(const ProtobufField field, reader.next());
    if (field.number == 1) {
      TERN_TRY_DO(expect_type(field, 2, "the list of pieces"));
      TERN_TRY_DO(read_piece(field.bytes, vocabulary));
    } else if (field.number == 2) {
      TERN_TRY_DO(expect_type(field, 2, "the trainer's settings"));
      TERN_TRY(spec, read_trainer_spec(field.bytes));
    } else if (field.number == 3) {
      TERN_TRY_DO(expect_type(field, 2, "the normalizer's settings"));
      TERN_TRY(normalizer, read_normalizer_spec(field.bytes));
    }
  }
  if (vocabulary.size() == 0) return fail(ErrorCode::bad_input, "the SentencePiece model holds no pieces");
  if (spec.model_type != 1 && spec.model_type != 2) {
    constexpr std::array<std::string_view, 5> kNames = {"?", "unigram", "bpe", "word", "char"};
    const auto type = static_cast<std::uint32_t>(spec.model_type);
    return fail(ErrorCode::unsupported,
                "the SentencePiece model is of type {} ({}); unigram (1) and bpe (2) are supported", spec.model_type,
                type < kNames.size() ? kNames[type] : kNames[0]);
  }
  if (spec.marks_at_end) {
    return fail(ErrorCode::unsupported,
                "the SentencePiece model has its spaces at the ends of words "
                "(treat_whitespace_as_suffix), which this program does not do");
  }
  if (spec.model_type == 1) {
    vocabulary.kind = TokenizerKind::unigram;
    vocabulary.source = "SentencePiece model (unigram)";
  }
  apply(normalizer, vocabulary);
  const auto id = [](std::int32_t value) { return value < 0 ? std::nullopt : std::optional<std::int32_t>(value); };
  const auto in_range = [&](std::int32_t value) {
    return value < 0 || static_cast<std::size_t>(value) < vocabulary.size();
  };
  // A model without one of these tokens still carries the default id; an id without a piece means "none".
  if (in_range(spec.unk)) vocabulary.unk = id(spec.unk);
  if (in_range(spec.bos)) vocabulary.bos = id(spec.bos);
  if (in_range(spec.eos)) vocabulary.eos = id(spec.eos);
  if (in_range(spec.pad)) vocabulary.pad = id(spec.pad);
  vocabulary.add_bos = vocabulary.bos.has_value() && default_add_bos(vocabulary.kind, vocabulary.pre);
  vocabulary.add_eos = vocabulary.eos.has_value() && default_add_eos(vocabulary.kind);
  return vocabulary;
}

namespace {

// Field 1 (a piece) whose first field is its text.
bool looks_like_sentencepiece(Bytes bytes) {
  if (bytes.empty() || bytes[0] != std::byte{0x0A}) return false;
  ProtobufReader model(bytes);
  const auto piece = model.next();
  if (!piece || piece->number != 1 || piece->wire_type != 2 || piece->bytes.empty()) return false;
  ProtobufReader fields(piece->bytes);
  const auto text = fields.next();
  return text && text->number == 1 && text->wire_type == 2;
}

}  // namespace

const TokenizerFile kSentencePieceFile{.what = "a SentencePiece model",
                                       .names = {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"},
                                       .looks_like = looks_like_sentencepiece,
                                       .read = [](const TokenizerInput& input) {
                                         return configured(read_sentencepiece(input.bytes), input.tokenizer_config);
                                       }};

}  // namespace tern::text
