// A text with each of its characters replaced: what `upper` and `lower` have in common.
#pragma once

#include <string_view>

#include "case_mapping.h"
#include "operations.h"
#include "shoal/utf8.h"
#include "steps.h"

namespace shoal {

/// Answers with what `map_ascii(byte)` makes of ASCII, which is most of a text and has a way of its own since it is the quicker one, and
/// `map_wide(code_point, end)` of all else; `end` is where the character ends in the request's text.
template <typename MapAscii, typename MapWide>
bool map_characters(const Request& request, Reply& reply, MapAscii map_ascii, MapWide map_wide) {
  return in_steps(request.text, [&](std::string_view step) {
    while (!step.empty()) {
      const char byte = step.front();
      if (static_cast<unsigned char>(byte) < 0x80) {
        if (!reply.write(map_ascii(byte))) return false;
        step.remove_prefix(1);
        continue;
      }
      const uint32_t code_point = take_code_point(step);
      const Mapped mapped = map_wide(code_point, step.data());
      for (size_t i = 0; i < mapped.count; i++) {
        char bytes[4];
        if (!reply.write({bytes, put_code_point(mapped.code_points[i], bytes)})) return false;
      }
    }
    return true;
  });
}

}  // namespace shoal
