#include "number.h"
#include "operations.h"
#include "shoal/utf8.h"
#include "words.h"

namespace shoal {

bool run_count(const Request& request, Reply& reply) {
  uint64_t lines = 0;
  uint64_t words = 0;
  bool in_word = false;
  std::string_view rest = request.text;
  while (!rest.empty()) {
    std::string_view step = utf8_prefix(rest, kBytesPerYield);
    rest.remove_prefix(step.size());
    while (!step.empty()) {
      const uint32_t code_point = take_code_point(step);
      const bool blank = is_blank(code_point);
      if (code_point == '\n') lines++;
      if (!blank && !in_word) words++;
      in_word = !blank;
    }
    if (!rest.empty() && !shoal_yield()) return false;
  }
  if (!request.text.empty() && request.text.back() != '\n') lines++;  // the last line, without its end

  return reply.write("{\"lines\":") && write_number(reply, lines) && reply.write(",\"words\":") && write_number(reply, words) &&
         reply.write(",\"bytes\":") && write_number(reply, request.text.size()) && reply.write('}');
}

}  // namespace shoal
