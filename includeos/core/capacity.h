// How much the guest takes on at a time. docs/guest-contract.md lists these figures.
#pragma once

#include <cstddef>

namespace shoal {

constexpr size_t kConnectionMax = 32;      // connections that are served
constexpr size_t kHttpConnectionMax = 24;  // of them over HTTP, so that a link always finds a place
constexpr size_t kTurnedAwayMax = 16;      // connections beside them: not known by their protocol yet, or told 503 and about to close
constexpr size_t kStreamMax = kConnectionMax + kTurnedAwayMax;

constexpr size_t kQueueMax = 1024;  // requests that wait, over all connections

/// The most bytes that an adapter lets a peer send before Stream::consumed().
constexpr size_t kWindowMax = 32 << 10;

}  // namespace shoal
