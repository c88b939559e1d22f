#include "files/pickle.hpp"

#include <array>

#include "files/pickle_machine.hpp"

namespace tern::files {
namespace {

struct Opcode {
  unsigned char code;
  std::string_view name;
  Result<void> (PickleMachine::*run)();  // null: known and refused
};

using M = PickleMachine;
constexpr std::array kOpcodes{
    Opcode{0x80, "PROTO", &M::protocol},
    Opcode{0x95, "FRAME", &M::frame},
    Opcode{'.', "STOP", &M::stop},
    Opcode{'N', "NONE", &M::none},
    Opcode{0x88, "NEWTRUE", &M::yes},
    Opcode{0x89, "NEWFALSE", &M::no},
    Opcode{'J', "BININT", &M::integer<std::int32_t>},
    Opcode{'K', "BININT1", &M::integer<std::uint8_t>},
    Opcode{'M', "BININT2", &M::integer<std::uint16_t>},
    Opcode{0x8a, "LONG1", &M::long_integer<std::uint8_t>},
    Opcode{0x8b, "LONG4", &M::long_integer<std::uint32_t>},
    Opcode{'G', "BINFLOAT", &M::real},
    Opcode{0x8c, "SHORT_BINUNICODE", &M::text<std::uint8_t>},
    Opcode{'X', "BINUNICODE", &M::text<std::uint32_t>},
    Opcode{0x8d, "BINUNICODE8", &M::text<std::uint64_t>},
    Opcode{'U', "SHORT_BINSTRING", &M::text<std::uint8_t>},  // Python 2's str
    Opcode{'T', "BINSTRING", &M::text<std::uint32_t>},
    Opcode{'C', "SHORT_BINBYTES", &M::raw_bytes<std::uint8_t>},
    Opcode{'B', "BINBYTES", &M::raw_bytes<std::uint32_t>},
    Opcode{0x8e, "BINBYTES8", &M::raw_bytes<std::uint64_t>},
    Opcode{0x96, "BYTEARRAY8", &M::raw_bytes<std::uint64_t>},
    Opcode{'(', "MARK", &M::mark},
    Opcode{')', "EMPTY_TUPLE", &M::tuple_of<0>},
    Opcode{0x85, "TUPLE1", &M::tuple_of<1>},
    Opcode{0x86, "TUPLE2", &M::tuple_of<2>},
    Opcode{0x87, "TUPLE3", &M::tuple_of<3>},
    Opcode{'t', "TUPLE", &M::tuple},
    Opcode{']', "EMPTY_LIST", &M::empty_list},
    Opcode{'a', "APPEND", &M::append},
    Opcode{'e', "APPENDS", &M::appends},
    Opcode{'}', "EMPTY_DICT", &M::empty_dict},
    Opcode{'s', "SETITEM", &M::set_item},
    Opcode{'u', "SETITEMS", &M::set_items},
    Opcode{0x8f, "EMPTY_SET", &M::empty_list},
    Opcode{0x90, "ADDITEMS", &M::appends},
    Opcode{0x91, "FROZENSET", &M::frozen_set},
    Opcode{'q', "BINPUT", &M::put<std::uint8_t>},
    Opcode{'r', "LONG_BINPUT", &M::put<std::uint32_t>},
    Opcode{0x94, "MEMOIZE", &M::memoize},
    Opcode{'h', "BINGET", &M::get<std::uint8_t>},
    Opcode{'j', "LONG_BINGET", &M::get<std::uint32_t>},
    Opcode{'c', "GLOBAL", &M::global},
    Opcode{0x93, "STACK_GLOBAL", &M::stack_global},
    Opcode{'R', "REDUCE", &M::call},
    Opcode{0x81, "NEWOBJ", &M::call},
    Opcode{'b', "BUILD", &M::build},
    Opcode{'Q', "BINPERSID", &M::persistent},
    Opcode{'i', "INST", nullptr},
    Opcode{'o', "OBJ", nullptr},
    Opcode{0x92, "NEWOBJ_EX", nullptr},
    Opcode{0x82, "EXT1", nullptr},
    Opcode{0x83, "EXT2", nullptr},
    Opcode{0x84, "EXT4", nullptr},
    Opcode{0x97, "NEXT_BUFFER", nullptr},
    Opcode{0x98, "READONLY_BUFFER", nullptr},
    Opcode{'0', "POP", nullptr},
    Opcode{'1', "POP_MARK", nullptr},
    Opcode{'2', "DUP", nullptr},
    Opcode{'P', "PERSID", nullptr},
    Opcode{'I', "INT", nullptr},
    Opcode{'L', "LONG", nullptr},
    Opcode{'F', "FLOAT", nullptr},
    Opcode{'S', "STRING", nullptr},
    Opcode{'V', "UNICODE", nullptr},
    Opcode{'l', "LIST", nullptr},
    Opcode{'d', "DICT", nullptr},
    Opcode{'g', "GET", nullptr},
    Opcode{'p', "PUT", nullptr},
};

// Opcode byte -> index into kOpcodes, or its size.
constexpr auto kIndexOf = [] {
  std::array<std::size_t, 256> index{};
  index.fill(kOpcodes.size());
  for (std::size_t i = 0; i < kOpcodes.size(); ++i) index[kOpcodes[i].code] = i;
  return index;
}();

}  // namespace

Result<Pickle> PickleMachine::run() {
  while (!stopped_) {
    const std::size_t at = cursor_.position();
    const auto code = cursor_.read<unsigned char>("an opcode");
    if (!code) {
      return fail(ErrorCode::bad_input, "truncated: ends at byte {} without the opcode STOP", at);
    }
    const std::size_t index = kIndexOf[*code];
    if (index == kOpcodes.size()) {
      return fail(ErrorCode::bad_input, "byte {} holds 0x{:02x}, which is no pickle opcode", at, *code);
    }
    const Opcode& opcode = kOpcodes[index];
    if (opcode.run == nullptr) {
      return fail(ErrorCode::unsupported,
                  "opcode {} at byte {}: torch.save does not write it, and Tern reads tensors only", opcode.name, at);
    }
    if (at == 0 && *code != 0x80) {
      return fail(ErrorCode::unsupported, "begins with opcode {}, expected PROTO: pickle protocol 2 to 5", opcode.name);
    }
    if (auto done = (this->*opcode.run)(); !done) {
      return in_context(fmt::format("{} at byte {}", opcode.name, at), std::move(done).error());
    }
  }
  return std::move(pickle_);
}

Result<Pickle> Pickle::parse(std::span<const std::byte> bytes, Allowed allowed) {
  if (bytes.size() > kMaxBytes) {
    return fail(ErrorCode::unsupported, "a pickle of {} bytes, expected at most {}", bytes.size(), kMaxBytes);
  }
  return PickleMachine(bytes, allowed).run();
}

}  // namespace tern::files
