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
bool run_blurt(const Request& request, Reply& reply);
bool run_flood(const Request& request, Reply& reply);
bool run_chunks(const Request& request, Reply& reply);
bool run_say(const Request& request, Reply& reply);
bool run_dial(const Request& request, Reply& reply);

enum class DialState { pending, connected, refused, failed };

}  // namespace shoal

// What the adapter of an image for tests has besides.

/// Ends the machine without a word, as a triple fault does.
[[noreturn]] void shoal_reset_machine();

/// Begins to open a TCP connection to somebody else. `address` is IPv4 as it goes over the wire.
void shoal_dial(uint32_t address, uint16_t port);

/// What has become of it.
shoal::DialState shoal_dial_state();

/// Ends it, whatever it is.
void shoal_hang_up();
