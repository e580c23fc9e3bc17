// What a module prints, as whole lines of the guest's log.
#pragma once

#include <cstddef>
#include <string_view>

namespace shoal::wasm {

/// Cuts what is longer than a line of the log may be, and lets no line be taken for one of the guest's own. A module that prints without
/// measure loses lines, and not the guest its time: a console takes 10 to 100 us a byte under some hypervisors.
class LogLines {
 public:
  void add(std::string_view text);

  /// Prints what stands there without an end of line.
  void flush();

 private:
  static constexpr size_t kLineMax = 512;
  static constexpr std::string_view kMark = "| ";

  void print(size_t size);
  bool may_print(size_t bytes);

  // The mark, a line, and its end or what is too much.
  char line_[kMark.size() + kLineMax + 1] = {};
  size_t size_ = 0;
};

}  // namespace shoal::wasm
