// memcpy for sizes that may be 0, when the pointers may be null, which memcpy does not allow.
#pragma once

#include <cstddef>
#include <cstring>

namespace shoal {

inline void copy_bytes(char* to, const char* from, size_t size) {
  if (size > 0) std::memcpy(to, from, size);
}

}  // namespace shoal
