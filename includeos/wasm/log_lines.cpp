#include "log_lines.h"

#include "shoal/copy.h"
#include "shoal/service.h"
#include "shoal/utf8.h"

namespace shoal::wasm {

void LogLines::add(std::string_view text) {
  for (char byte : text) {
    if (byte == '\n') {
      print(size_);
      continue;
    }
    const auto code = static_cast<unsigned char>(byte);
    line_[kMark.size() + size_++] = code < 0x20 || code == 0x7f ? ' ' : byte;
    if (size_ > kLineMax) print(utf8_prefix({line_ + kMark.size(), size_}, kLineMax).size());
  }
}

void LogLines::flush() {
  if (size_ > 0) print(size_);
}

/// The first `size` bytes of the line; what is left begins the next one.
void LogLines::print(size_t size) {
  constexpr std::string_view kOfGuest = "shoal1 ";
  char* const start = line_ + kMark.size();
  const char next = start[size];
  start[size] = '\n';
  if (std::string_view(start, size).starts_with(kOfGuest)) {
    copy_bytes(line_, kMark.data(), kMark.size());
    shoal_log({line_, kMark.size() + size + 1});
  } else {
    shoal_log({start, size + 1});
  }
  start[size] = next;
  const size_t left = size_ - size;
  for (size_t i = 0; i < left; i++) start[i] = start[size + i];
  size_ = left;
}

}  // namespace shoal::wasm
