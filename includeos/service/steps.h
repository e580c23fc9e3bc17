// Long texts, a step at a time, so that the guest gets its turn in between.
#pragma once

#include <string_view>

#include "operations.h"
#include "shoal/utf8.h"

namespace shoal {

/// Calls `use(step)` for the text's steps in their order; none cuts a character in two. False: `use` was, or the request is cancelled.
template <typename Use>
bool in_steps(std::string_view text, Use use) {
  while (!text.empty()) {
    const std::string_view step = utf8_prefix(text, kBytesPerYield);
    text.remove_prefix(step.size());
    if (!use(step)) return false;
    if (!text.empty() && !shoal_yield()) return false;
  }
  return true;
}

}  // namespace shoal
