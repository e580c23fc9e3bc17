// Upper and lower case as JavaScript has them (Unicode's default case conversion).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace shoal {

/// What one code point becomes: mostly one, three at the most ("ΐ").
struct Mapped {
  uint32_t code_points[3];
  size_t count;
};

Mapped to_upper(uint32_t code_point);
Mapped to_lower(uint32_t code_point);

/// For the sigma at a word's end: letters with case, and what is passed over when one looks for them.
bool is_cased(uint32_t code_point);
bool is_case_ignorable(uint32_t code_point);

}  // namespace shoal
