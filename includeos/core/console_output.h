// What is printed waits here until the console takes it, so that a reader that pauses stalls nobody.
#pragma once

#include <cstddef>
#include <string_view>

namespace shoal {

class ConsoleOutput {
 public:
  bool empty() const { return read_ == written_; }
  size_t size() const { return written_ - read_; }

  /// All or nothing: false if there is no room for all of it.
  bool add(std::string_view text) {
    if (kSize - (written_ - read_) < text.size()) return false;
    for (const char byte : text) ring_[written_++ % kSize] = byte;
    return true;
  }

  /// Gives the console what it takes: `write(bytes, size)` returns how many it took, and does not wait.
  template <typename Write>
  void flush(Write write) {
    while (!empty()) {
      const size_t at = read_ % kSize;
      const size_t waiting = written_ - read_;
      const size_t part = waiting < kSize - at ? waiting : kSize - at;
      const size_t taken = write(ring_ + at, part);
      read_ += taken;
      if (taken < part) return;
    }
  }

 private:
  static constexpr size_t kSize = 16 << 10;  // a power of two

  char ring_[kSize] = {};
  size_t written_ = 0;  // counters that run on; the place is the remainder
  size_t read_ = 0;
};

}  // namespace shoal
