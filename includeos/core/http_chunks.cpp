#include "http_chunks.h"

namespace shoal {
namespace {

// Beyond it a chunk is larger than any body may be, and the sum of two could not overflow.
constexpr uint64_t kChunkMax = uint64_t{1} << 40;

constexpr int kNoDigit = -1;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return kNoDigit;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; }

}  // namespace

std::string_view HttpChunks::take(std::string_view& bytes) {
  while (!bytes.empty() && !finished() && defect_.empty()) {
    if (stage_ != Stage::data) {
      take_byte(bytes.front());
      bytes.remove_prefix(1);
      continue;
    }
    const size_t part = bytes.size() < left_ ? bytes.size() : static_cast<size_t>(left_);
    const std::string_view body{bytes.data(), part};
    bytes.remove_prefix(part);
    left_ -= part;
    if (left_ == 0) stage_ = Stage::data_return;
    return body;
  }
  return {};
}

void HttpChunks::take_byte(char byte) {
  switch (stage_) {
    case Stage::size: take_size(byte); break;
    case Stage::extension:
      if (byte == '\r') {
        stage_ = Stage::size_end;
      } else if (is_control(byte) || ++line_size_ > kSizeLineMax) {
        fail("a chunk's extension is malformed");
      }
      break;
    case Stage::size_end:
      if (byte != '\n') fail("a chunk's size is malformed");
      line_size_ = 0;
      stage_ = left_ > 0 ? Stage::data : Stage::line_start;
      break;
    case Stage::data_return:
      if (byte != '\r') fail("a chunk is longer than its size");
      stage_ = Stage::data_end;
      break;
    case Stage::data_end:
      if (byte != '\n') fail("a chunk is longer than its size");
      stage_ = Stage::size;
      break;
    case Stage::line_start:
      if (byte == '\r') {
        stage_ = Stage::last_end;
        break;
      }
      stage_ = Stage::trailer;
      [[fallthrough]];
    case Stage::trailer:
      if (byte == '\r') {
        stage_ = Stage::trailer_end;
      } else if (is_control(byte) || ++line_size_ > kTrailersMax) {
        fail("the trailers are malformed");
      }
      break;
    case Stage::trailer_end:
      if (byte != '\n') fail("the trailers are malformed");
      stage_ = Stage::line_start;
      break;
    case Stage::last_end:
      if (byte != '\n') fail("the trailers are malformed");
      stage_ = Stage::finished;
      break;
    case Stage::data:
    case Stage::finished: break;
  }
}

void HttpChunks::take_size(char byte) {
  const int digit = hex_digit(byte);
  if (digit == kNoDigit && line_size_ > 0 && (byte == '\r' || byte == ';')) {
    stage_ = byte == ';' ? Stage::extension : Stage::size_end;
    return;
  }
  left_ = left_ * 16 + static_cast<uint64_t>(digit == kNoDigit ? 0 : digit);
  if (digit == kNoDigit || ++line_size_ > kSizeLineMax || left_ > kChunkMax) fail("a chunk's size is malformed");
}

}  // namespace shoal
