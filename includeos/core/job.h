// A request from the moment its header is there until it is answered. The bytes behind the header in memory: operation, token, text; of a typed
// one the content type before the text.
//
// A request that is sent again while it is in work, with the same token, joins the first: one computation, a reply for each.
#pragma once

#include <cstdint>
#include <string_view>

#include "content_type.h"
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
  std::string_view text() { return {payload().data() + typed_size(), payload().size() - typed_size()}; }
  std::string_view content_type() {
    if (typed_size() == 0) return {};
    return {payload().data() + 1, typed_size() - 1};
  }

  /// Whether the content type is one, and within the frame. Nothing is to be asked of it otherwise.
  bool is_well_typed() {
    if (header.type != FrameType::typed_request) return true;
    if (payload().empty() || typed_size() > payload().size()) return false;
    return typed_size() == 1 || is_content_type(content_type());
  }

 private:
  std::string_view payload() { return {bytes() + header.names_size(), header.payload_size()}; }
  size_t typed_size() { return header.type == FrameType::typed_request ? 1 + size_t{static_cast<unsigned char>(payload().front())} : 0; }
};

}  // namespace shoal
