// The memory of requests and replies: one region, constant-time allocation, neighbours merged when freed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shoal {

class Heap {
 public:
  void open(void* memory, size_t size);

  /// Aligned to 16 bytes; null if no block is large enough.
  void* allocate(size_t bytes);
  void free(void* memory);

  /// Gives back what of it lies behind the first `bytes`, which stay where they are.
  void shrink(void* memory, size_t bytes);

  /// How far from the region's start it lies.
  size_t offset_of(const void* memory) const { return static_cast<size_t>(static_cast<const char*>(memory) - start_); }

  size_t used_bytes() const { return used_bytes_; }
  size_t free_bytes() const { return total_bytes_ - used_bytes_; }

 private:
  struct Block;
  static constexpr unsigned kBinCount = 32;

  Block* find(size_t size);
  void insert(Block* block);
  void remove(Block* block);

  Block* bins_[kBinCount] = {};  // bin N: free blocks of 2^N to 2^(N+1) - 1 bytes
  uint32_t bins_in_use_ = 0;
  const char* start_ = nullptr;
  size_t total_bytes_ = 0;
  size_t used_bytes_ = 0;
};

}  // namespace shoal
