// The head of an HTTP/1 request: read once it is there in full, strictly where leniency would let two readers disagree on where it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal {

struct HttpHead {
  /// The longest there may be, with its empty line.
  static constexpr size_t kSizeMax = 4000;

  enum class Method : uint8_t { get, head, post, other };

  Method method = Method::other;
  std::string_view operation;        // the path without its slash and query
  bool keep_alive = false;           // what the client wants, by its version and its Connection header
  bool version_1_0 = false;
  bool has_length = false;
  bool chunked = false;              // the body tells its length as it goes
  bool expects_continue = false;
  uint64_t length = 0;               // of the body, if it was told
  std::string_view content_type;     // as it was sent; empty: it was not

  bool has_body() const { return chunked || length > 0; }

  unsigned refusal_code = 0;         // not 0: it is no request, and nothing that follows can be trusted to be one
  std::string_view refusal;
};

/// `text` goes from the request line to the empty line. The result points into it.
HttpHead read_http_head(std::string_view text);

/// "Not Found" for 404.
std::string_view http_reason(unsigned code);

}  // namespace shoal
