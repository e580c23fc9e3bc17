#include "heap_memory.h"

#include <bit>
#include <cstdint>
#include <kernel/memory.hpp>
#include <string_view>

#include "memory_budget.h"
#include "tcp_stream.h"

// Of IncludeOS, and not in the headers that it installs.
namespace kernel {
size_t heap_usage() noexcept;
}
size_t mmap_allocation_end();  // the highest address in use
extern "C" void* kalloc(size_t size);
extern "C" void kfree(void* memory, size_t size);

namespace shoal::on_includeos {
namespace {

/// The address after the last byte of IncludeOS's heap. Its allocator takes for granted that there is more, and kernel::heap_avail() that
/// there is less: the one counts from zero, the other from 16 MiB.
uintptr_t heap_end() {
  for (const auto& [start, range] : os::mem::vmmap()) {
    if (std::string_view(range.name()) == "Heap") return range.addr_end() + 1;
  }
  return 0;
}

}  // namespace

HeapMemory take_heap_memory(const Settings& settings) {
  const uintptr_t end = heap_end();
  const uintptr_t kept = mmap_allocation_end() + TcpStreams::kMemoryMax;
  const size_t left = end > kept ? end - kept : 0;
  const size_t wanted = 6 * settings.payload_max + (4 << 20);
  // The allocator gives blocks whose size is a power of two, at multiples of their size: the largest one may reach beyond the end.
  for (size_t size = std::bit_floor(wanted < left ? wanted : left); MemoryBudget::suffices(size, settings); size /= 2) {
    char* const start = static_cast<char*>(kalloc(size));  // untouched, which malloc()'s is not
    if (start == nullptr) continue;
    if (reinterpret_cast<uintptr_t>(start) + size <= end) return {start, size};
    kfree(start, size);
  }
  return {nullptr, 0};
}

size_t heap_usage() { return kernel::heap_usage(); }

}  // namespace shoal::on_includeos
