// What AssemblyScript's own library imports. Its strings are UTF-16, with the number of their bytes before them.
#include <string_view>

#include "runtime.h"
#include "shoal/copy.h"
#include "shoal/service.h"
#include "shoal/text_writer.h"
#include "shoal/utf8.h"
#include "wasi.h"

namespace {

constexpr uint32_t kPrintedMax = 4096;  // units of one string

constinit char message_bytes[256] = {};
constinit size_t message_size = 0;

/// Hands an UTF-16 string over as UTF-8, a character at a time.
template <typename Take>
void read_string(uint32_t address, Take take_character) {
  uint32_t bytes;
  __builtin_memcpy(&bytes, shoal_wasm_at(address - 4, 4), 4);
  uint32_t units = bytes / 2 < kPrintedMax ? bytes / 2 : kPrintedMax;
  shoal_wasm_spend(units);
  const auto* at = static_cast<const char*>(shoal_wasm_at(address, units * 2));
  const auto take_unit = [&] {
    uint16_t unit;
    __builtin_memcpy(&unit, at, 2);
    at += 2;
    units--;
    return uint32_t{unit};
  };
  while (units > 0) {
    uint32_t code_point = take_unit();
    if (code_point >= 0xd800 && code_point < 0xe000) {
      const uint32_t high = code_point;
      code_point = 0xfffd;
      uint16_t low = 0;
      if (units > 0) __builtin_memcpy(&low, at, 2);
      if (high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
        take_unit();
        code_point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00u);
      }
    }
    char character[4];
    take_character(std::string_view(character, shoal::put_code_point(code_point, character)));
  }
}

void print_string(uint32_t address) {
  if (address == 0) return shoal::wasm::print("null");
  read_string(address, [](std::string_view character) { shoal::wasm::print(character); });
}

void keep_message(uint32_t address) {
  message_size = 0;
  read_string(address, [](std::string_view character) {
    if (message_size + character.size() > sizeof message_bytes) return;
    shoal::copy_bytes(message_bytes + message_size, character.data(), character.size());
    message_size += character.size();
  });
}

void print_line(uint32_t address) {
  print_string(address);
  shoal::wasm::print("\n");
}

double now_ms() { return static_cast<double>(shoal_now_ms()); }

}  // namespace

namespace shoal::wasm {

std::string_view abort_message() { return {message_bytes, message_size}; }
void forget_abort() { message_size = 0; }

}  // namespace shoal::wasm

extern "C" {

void Z_envZ_abort(void*, uint32_t message, uint32_t file, uint32_t line, uint32_t column) {
  shoal::wasm::print("abort: ");
  if (message != 0) {
    print_string(message);
    keep_message(message);
  }
  if (file != 0) {
    shoal::wasm::print(" at ");
    print_string(file);
  }
  shoal::TextWriter<64> place;
  shoal::wasm::print(place.add(":").add(line).add(":").add(column).add("\n").text());
  shoal_wasm_leave(SHOAL_WASM_ABORTED);
}

double Z_envZ_seed(void*) { return shoal::wasm::random_fraction() * 0x1p52; }

void Z_envZ_consoleZ2Elog(void*, uint32_t text) { print_line(text); }
void Z_envZ_consoleZ2Edebug(void*, uint32_t text) { print_line(text); }
void Z_envZ_consoleZ2Einfo(void*, uint32_t text) { print_line(text); }
void Z_envZ_consoleZ2Ewarn(void*, uint32_t text) { print_line(text); }
void Z_envZ_consoleZ2Eerror(void*, uint32_t text) { print_line(text); }

double Z_envZ_DateZ2Enow(void*) { return now_ms(); }
double Z_envZ_performanceZ2Enow(void*) { return now_ms(); }

}  // extern "C"
