// The operations of the text service, one file each.
#pragma once

#include "shoal/service.h"

namespace shoal {

/// How many bytes an operation may deal with before it yields: well under a millisecond's work on every accelerator.
inline constexpr size_t kBytesPerYield = 8 << 10;

bool run_upper(const Request& request, Reply& reply);
bool run_lower(const Request& request, Reply& reply);
bool run_reverse(const Request& request, Reply& reply);
bool run_count(const Request& request, Reply& reply);
bool run_freq(const Request& request, Reply& reply);
bool run_sha256(const Request& request, Reply& reply);
bool run_spin(const Request& request, Reply& reply);

// Only in the image for tests: what a guest must not do.
bool run_hang(const Request& request, Reply& reply);
bool run_crash(const Request& request, Reply& reply);
bool run_flood(const Request& request, Reply& reply);
bool run_chunks(const Request& request, Reply& reply);

}  // namespace shoal

/// Ends the machine without a word, as a triple fault does. The adapter of an image for tests has it.
[[noreturn]] void shoal_reset_machine();
