// Writes a number into a reply.
#pragma once

#include <cstdint>

#include "shoal/service.h"

namespace shoal {

inline bool write_number(Reply& reply, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  return reply.write({digits + at, sizeof digits - at});
}

}  // namespace shoal
