// The serial console. What is printed waits in a ring until the UART takes it: a reader that pauses stalls nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal::builtin {

class Console {
 public:
  void open();

  /// All or nothing.
  bool print(std::string_view text);

  /// Gives the UART what it takes.
  void flush();

  bool has_output() const { return read_ != written_; }

  /// Gives up after `limit_ns`.
  void flush_within(uint64_t limit_ns);

  /// Reads into `room`; returns how much there was.
  size_t read(char* room, size_t size);

 private:
  static constexpr size_t kRingSize = 16 << 10;  // a power of two

  char ring_[kRingSize] = {};
  size_t written_ = 0;  // counters that run on; the place is the remainder
  size_t read_ = 0;
};

}  // namespace shoal::builtin
