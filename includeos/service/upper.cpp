#include "map_characters.h"

namespace shoal {

bool run_upper(const Request& request, Reply& reply) {
  return map_characters(
      request, reply, [](char byte) { return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte; },
      [](uint32_t code_point, const char*) { return to_upper(code_point); });
}

}  // namespace shoal
