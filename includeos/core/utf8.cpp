#include "shoal/utf8.h"

#include <cstring>

namespace shoal {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;

bool is_tail(unsigned char byte) { return (byte & 0xc0) == 0x80; }

/// The size of the character at the start, 0 if it is not one.
size_t character_size(const unsigned char* bytes, size_t left) {
  const unsigned lead = bytes[0];
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (left < size) return 0;
  for (size_t i = 1; i < size; i++) {
    if (!is_tail(bytes[i])) return 0;
  }
  if (lead == 0xe0 && bytes[1] < 0xa0) return 0;   // overlong
  if (lead == 0xed && bytes[1] >= 0xa0) return 0;  // a surrogate
  if (lead == 0xf0 && bytes[1] < 0x90) return 0;   // overlong
  if (lead == 0xf4 && bytes[1] >= 0x90) return 0;  // beyond U+10FFFF
  return size;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, bytes + at, sizeof word);
      if ((word & kHighBits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const size_t size = character_size(bytes + at, text.size() - at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

size_t utf8_cut(std::string_view text) {
  for (size_t size = 1; size <= 3 && size <= text.size(); size++) {
    const auto lead = static_cast<unsigned char>(text[text.size() - size]);
    if (is_tail(lead)) continue;
    const size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return needed > size ? size : 0;
  }
  return 0;
}

std::string_view utf8_prefix(std::string_view text, size_t size_max) {
  if (text.size() <= size_max) return text;
  size_t size = size_max;
  for (int i = 0; i < 3 && is_tail(static_cast<unsigned char>(text[size])); i++) size--;
  return {text.data(), size};
}

}  // namespace shoal
