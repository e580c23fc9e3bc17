#include "log_lines.h"

#include "shoal/copy.h"
#include "shoal/service.h"
#include "shoal/text_writer.h"
#include "shoal/utf8.h"

namespace shoal::wasm {
namespace {

// Bytes that may be printed at once, and within a second.
constexpr uint64_t kBurst = 4096;
constexpr uint64_t kPerSecond = 8192;

// For all lines together.
constinit uint64_t room = kBurst;
constinit uint64_t room_at_ms = 0;
constinit uint64_t dropped = 0;

}  // namespace

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
  if (may_print(size + 1)) {
    const char next = start[size];
    start[size] = '\n';
    const bool is_marked = std::string_view(start, size).starts_with(kOfGuest);
    if (is_marked) copy_bytes(line_, kMark.data(), kMark.size());
    if (!shoal_log({is_marked ? line_ : start, (is_marked ? kMark.size() : 0) + size + 1})) dropped++;
    start[size] = next;
  } else {
    dropped++;
  }
  const size_t left = size_ - size;
  for (size_t i = 0; i < left; i++) start[i] = start[size + i];
  size_ = left;
}

bool LogLines::may_print(size_t bytes) {
  const uint64_t now_ms = shoal_now_ms();
  const uint64_t more = (now_ms - room_at_ms) * kPerSecond / 1000;
  if (more > 0) {
    room = room + more < kBurst ? room + more : kBurst;
    room_at_ms = now_ms;
  }
  if (room < bytes) return false;
  room -= bytes;
  if (dropped == 0) return true;
  TextWriter<64> line;
  if (shoal_log(line.add("(").add(dropped).add(" lines were too many for the log)\n").text())) dropped = 0;
  return true;
}

}  // namespace shoal::wasm
