#include "number.h"
#include "operations.h"
#include "steps.h"
#include "words.h"

namespace shoal {

bool run_count(const Request& request, Reply& reply) {
  uint64_t lines = 0;
  uint64_t words = 0;
  bool in_word = false;
  const bool all = in_steps(request.text, [&](std::string_view step) {
    while (!step.empty()) {
      const uint32_t code_point = take_code_point(step);
      const bool blank = is_blank(code_point);
      if (code_point == '\n') lines++;
      if (!blank && !in_word) words++;
      in_word = !blank;
    }
    return true;
  });
  if (!all) return false;
  if (!request.text.empty() && request.text.back() != '\n') lines++;  // the last line, without its end

  return reply.write("{\"lines\":") && write_number(reply, lines) && reply.write(",\"words\":") && write_number(reply, words) &&
         reply.write(",\"bytes\":") && write_number(reply, request.text.size()) && reply.write('}');
}

}  // namespace shoal
