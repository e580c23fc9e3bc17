// A request from the moment its header is there until it is answered. The bytes behind the header in memory: operation, token, text.
//
// A request that is sent again while it is in work, with the same token, joins the first: one computation, a reply for each.
#pragma once

#include <cstdint>
#include <string_view>

#include "frame.h"

namespace shoal {

class Connection;

struct Job {
  Job* next;                   // in the queue, or in the list of those that joined the same request
  Job* joined;                 // those that get the same answer, the first to come first
  Job* same_bucket;            // in the TokenTable
  Connection* connection;      // null: it is gone
  uint64_t connection_number;  // also of one that is gone
  FrameHeader header;
  uint16_t token_bucket;
  bool cancelled;
  bool is_http;
  uint32_t held_bytes;         // what MemoryBudget counts it for

  /// Whether anybody still waits for the answer.
  bool wanted() const {
    for (const Job* job = this; job != nullptr; job = job == this ? joined : job->next) {
      if (!job->cancelled) return true;
    }
    return false;
  }

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::string_view operation() { return {bytes(), header.operation_size}; }
  std::string_view token() { return {bytes() + header.operation_size, header.token_size}; }
  std::string_view text() { return {bytes() + header.names_size(), header.payload_size()}; }
};

}  // namespace shoal
