#include "operations.h"
#include "shoal/utf8.h"

namespace shoal {

bool run_reverse(const Request& request, Reply& reply) {
  const char* const text = request.text.data();
  size_t end = request.text.size();
  size_t yield_at = end;
  while (end > 0) {
    size_t start = end - 1;
    while ((text[start] & 0xc0) == 0x80) start--;
    if (!reply.write({text + start, end - start})) return false;
    end = start;
    if (yield_at - end >= kBytesPerYield) {
      yield_at = end;
      if (!shoal_yield()) return false;
    }
  }
  return true;
}

}  // namespace shoal
