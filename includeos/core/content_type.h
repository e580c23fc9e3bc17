// What a payload is, as of the header Content-Type.
#pragma once

#include <cstddef>
#include <string_view>

namespace shoal {

constexpr size_t kContentTypeMax = 255;

/// Printable ASCII with nothing to trim, so that it can stand in a header as it is.
constexpr bool is_content_type(std::string_view type) {
  if (type.empty() || type.size() > kContentTypeMax || type.front() == ' ' || type.back() == ' ') return false;
  for (const char c : type) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

}  // namespace shoal
