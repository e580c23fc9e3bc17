// The file beside the engine's image: a script, and what is to be known of it before it runs. src/bundle/service-file.ts writes it.
#pragma once

#include <cstddef>
#include <string_view>

namespace shoal::engine {

struct ServiceFile {
  std::string_view operations;  // as they stand there: names with commas between them
  bool idempotent;
  bool keeps_state;
  std::string_view payload;  // "text" or "bytes"
  std::string_view source;
};

inline constexpr size_t kOperationsMax = 64;
inline constexpr size_t kOperationNameMax = 64;

/// Null, or what is wrong with it, for people.
const char* read_service_file(std::string_view bytes, ServiceFile& file);

/// Takes the next name off the front of a list.
std::string_view take_operation(std::string_view& names);

}  // namespace shoal::engine
