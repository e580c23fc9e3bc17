// What scripts print, in the guest's log: whole lines, and no more than the console's reader has use for.
#pragma once

#include <string_view>

namespace shoal::engine {

/// The text of one console.log(), which may have several lines. Dropped whole if there was too much of late; the log tells how much was.
void log_text(std::string_view text);

/// A line of the guest's own.
void log_line(std::string_view line);

}  // namespace shoal::engine
