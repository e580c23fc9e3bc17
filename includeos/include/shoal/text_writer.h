// Builds a short text in a buffer of its own; what does not fit is cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "copy.h"

namespace shoal {

template <size_t Capacity>
class TextWriter {
 public:
  std::string_view text() const { return {bytes_, size_}; }
  size_t room() const { return Capacity - size_; }

  TextWriter& add(std::string_view part) {
    const size_t size = part.size() < Capacity - size_ ? part.size() : Capacity - size_;
    copy_bytes(bytes_ + size_, part.data(), size);
    size_ += size;
    return *this;
  }

  TextWriter& add(uint64_t number, unsigned base = 10) {
    char digits[20];
    size_t at = sizeof digits;
    do {
      digits[--at] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number > 0);
    return add({digits + at, sizeof digits - at});
  }

  /// Something from outside: printable ASCII without blanks stays, the rest becomes '?', and it is bounded.
  TextWriter& add_foreign(std::string_view part, size_t size_max = 64) {
    for (size_t i = 0; i < part.size() && i < size_max; i++) {
      const char shown = part[i] > ' ' && part[i] < 0x7f ? part[i] : '?';
      add({&shown, 1});
    }
    return part.size() > size_max ? add("...") : *this;
  }

 private:
  size_t size_ = 0;
  char bytes_[Capacity];
};

}  // namespace shoal
