// Cuts what comes in on the console into lines, bounded, however it is cut up on the way.
#pragma once

#include <cstddef>
#include <string_view>

namespace shoal {

class ConsoleInput {
 public:
  /// Calls `use(line)` for each line that is complete. A line that is too long is dropped.
  template <typename Use>
  void feed(std::string_view bytes, Use use) {
    for (const char byte : bytes) {
      if (byte == '\n' || byte == '\r') {
        if (size_ > 0 && size_ <= kLineMax) use(std::string_view(line_, size_));
        size_ = 0;
      } else if (size_ < kLineMax) {
        line_[size_++] = byte;
      } else {
        size_ = kLineMax + 1;
      }
    }
  }

 private:
  static constexpr size_t kLineMax = 128;

  size_t size_ = 0;
  char line_[kLineMax] = {};
};

}  // namespace shoal
