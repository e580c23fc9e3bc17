// QuickJS as it was after its start (snapshot.mjs), with a service in it. README.md says how a host drives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "service_file.h"

namespace shoal::engine {

/// A line of the guest's log.
void log_line(std::string_view line);

/// Starts the engine in this memory. False: there is not enough.
bool open(char* memory, size_t bytes);

/// Evaluates the script. Null, or a word for `bye reason=bad-service why=`; then the log has a line about it.
const char* load(const ServiceFile& file);

/// What became of a request.
struct Outcome {
  enum class Kind { text, bytes, error, cancelled };
  Kind kind;
  unsigned code;                  // of an error
  std::string_view text;          // the result, or the error's message; until the next call into the engine
  std::string_view content_type;  // of a result; empty: the service has named none. As long as `text`
};

Outcome call(std::string_view operation, std::string_view text, std::string_view content_type);

/// Puts back what the service was after load(), if anything has been called since.
void renew();

}  // namespace shoal::engine
