// The body of an HTTP request that tells its length as it goes (Transfer-Encoding: chunked; RFC 9112, section 7.1), however it is cut up on
// the way. Read strictly: where one reader sees an end and another does not, a second request could be hidden.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal {

class HttpChunks {
 public:
  /// The longest line of a size with its extensions, and all of the trailers together.
  static constexpr size_t kSizeLineMax = 256;
  static constexpr size_t kTrailersMax = 4000;

  /// Goes on with `bytes`, which are not empty: takes some off their front, one or more. Returns those of them that are of the body; none when
  /// they told of a chunk's size, a trailer or an end.
  std::string_view take(std::string_view& bytes);

  bool finished() const { return stage_ == Stage::finished; }

  /// Why this is no such body; empty: it may be one. Nothing is taken from here on.
  std::string_view defect() const { return defect_; }

 private:
  enum class Stage : uint8_t { size, extension, size_end, data, data_return, data_end, line_start, trailer, trailer_end, last_end, finished };

  void take_byte(char byte);
  void take_size(char byte);
  void fail(std::string_view why) { defect_ = why; }

  Stage stage_ = Stage::size;
  uint64_t left_ = 0;      // of the chunk
  size_t line_size_ = 0;   // of the line of a size, or of all trailers
  std::string_view defect_;
};

}  // namespace shoal
