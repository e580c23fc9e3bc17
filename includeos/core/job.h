// A request from the moment its header is there until it is answered. The bytes behind the header in memory: operation, token, text.
#pragma once

#include <cstdint>
#include <string_view>

#include "frame.h"

namespace shoal {

class Connection;

struct Job {
  Job* next;
  Connection* connection;  // null: nobody waits for the answer any more
  FrameHeader header;
  bool cancelled;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::string_view operation() { return {bytes(), header.operation_size}; }
  std::string_view token() { return {bytes() + header.operation_size, header.token_size}; }
  std::string_view text() { return {bytes() + header.names_size(), header.payload_size()}; }
};

}  // namespace shoal
