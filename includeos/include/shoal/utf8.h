// UTF-8, for services that look at characters. The texts that a service gets are valid already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal {

/// Whether that is UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

/// The longest beginning of at most `size_max` bytes (4 or more) that cuts no character in two. `text` need not be valid.
std::string_view utf8_prefix(std::string_view text, size_t size_max);

/// How many bytes at the end of `text` begin a character that is not all there, 0 to 3.
size_t utf8_cut(std::string_view text);

/// The code point at the start of a valid text that is not empty; `text` moves past it.
inline uint32_t take_code_point(std::string_view& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const uint32_t lead = bytes[0];
  const auto next = [&](size_t i) { return static_cast<uint32_t>(bytes[i] & 0x3f); };
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  if (lead < 0xe0) {
    text.remove_prefix(2);
    return (lead & 0x1f) << 6 | next(1);
  }
  if (lead < 0xf0) {
    text.remove_prefix(3);
    return (lead & 0x0f) << 12 | next(1) << 6 | next(2);
  }
  text.remove_prefix(4);
  return (lead & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3);
}

/// Encodes a code point; returns how many of the four bytes it took.
inline size_t put_code_point(uint32_t code_point, char (&bytes)[4]) {
  const auto tail = [&](unsigned shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    bytes[0] = static_cast<char>(code_point);
    return 1;
  }
  if (code_point < 0x800) {
    bytes[0] = static_cast<char>(0xc0 | code_point >> 6);
    bytes[1] = tail(0);
    return 2;
  }
  if (code_point < 0x10000) {
    bytes[0] = static_cast<char>(0xe0 | code_point >> 12);
    bytes[1] = tail(6);
    bytes[2] = tail(0);
    return 3;
  }
  bytes[0] = static_cast<char>(0xf0 | code_point >> 18);
  bytes[1] = tail(12);
  bytes[2] = tail(6);
  bytes[3] = tail(0);
  return 4;
}

}  // namespace shoal
