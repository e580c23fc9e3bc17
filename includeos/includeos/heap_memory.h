// The memory that the server's heap gets of IncludeOS's.
#pragma once

#include <cstddef>

#include "settings.h"

namespace shoal::on_includeos {

struct HeapMemory {
  char* start;
  size_t size;
};

/// Several of the largest texts and what the connections hold, if there is so much beside what IncludeOS itself needs. `start` is null if
/// there is too little for one text.
HeapMemory take_heap_memory(const Settings& settings);

/// All that is taken of IncludeOS's heap.
size_t heap_usage();

}  // namespace shoal::on_includeos
