#include "case_mapping.h"
#include "operations.h"
#include "shoal/utf8.h"

namespace shoal {

bool run_upper(const Request& request, Reply& reply) {
  std::string_view rest = request.text;
  while (!rest.empty()) {
    std::string_view step = utf8_prefix(rest, kBytesPerYield);
    rest.remove_prefix(step.size());
    while (!step.empty()) {
      const char byte = step.front();
      if (static_cast<unsigned char>(byte) < 0x80) {
        if (!reply.write(byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte)) return false;
        step.remove_prefix(1);
        continue;
      }
      const Mapped mapped = to_upper(take_code_point(step));
      for (size_t i = 0; i < mapped.count; i++) {
        char bytes[4];
        if (!reply.write({bytes, put_code_point(mapped.code_points[i], bytes)})) return false;
      }
    }
    if (!rest.empty() && !shoal_yield()) return false;
  }
  return true;
}

}  // namespace shoal
