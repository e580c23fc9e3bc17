#include "heap_memory.h"

#include <cstdint>
#include <kernel/memory.hpp>
#include <string_view>
#include <vector>

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

constexpr size_t kBlockSize = 256 << 10;

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
  const size_t wanted = 10 * settings.payload_max + (4 << 20);

  // The allocator gives blocks whose size is a power of two, which may reach beyond the end. Small ones that follow one another waste
  // nothing, and are untouched, which malloc()'s are not.
  HeapMemory memory = {nullptr, 0};
  std::vector<char*> others;
  for (size_t taken = 0; memory.size < wanted && taken + kBlockSize <= left; taken += kBlockSize) {
    char* const block = static_cast<char*>(kalloc(kBlockSize));
    if (block == nullptr) break;
    if (reinterpret_cast<uintptr_t>(block) + kBlockSize > end) {
      others.push_back(block);
      break;
    }
    if (block != memory.start + memory.size) {
      for (; memory.size > 0; memory.size -= kBlockSize) others.push_back(memory.start + memory.size - kBlockSize);
      memory.start = block;
    }
    memory.size += kBlockSize;
  }
  for (char* const block : others) kfree(block, kBlockSize);
  if (MemoryBudget::suffices(memory.size, settings)) return memory;
  return {nullptr, 0};  // the guest ends: nobody needs what was taken
}

size_t heap_usage() { return kernel::heap_usage(); }

}  // namespace shoal::on_includeos
