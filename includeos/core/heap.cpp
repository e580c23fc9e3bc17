#include "heap.h"

#include <bit>

namespace shoal {

// A block's header; `previous` and `next` are there in free blocks only. The last block of the region is an empty one in use, so that
// every block has a right neighbour.
struct Heap::Block {
  size_t left_size;  // of the neighbour to the left, 0 for the first block
  size_t size_and_use;
  Block* next;
  Block* previous;

  static constexpr size_t kHeader = 16;
  static constexpr size_t kSmallest = 32;
  static constexpr size_t kUsed = 1;

  static size_t size_for(size_t bytes) {
    const size_t size = (bytes + kHeader + 15) & ~size_t{15};
    return size < kSmallest ? kSmallest : size;
  }
  size_t size() const { return size_and_use & ~kUsed; }
  bool used() const { return (size_and_use & kUsed) != 0; }
  Block* right() { return reinterpret_cast<Block*>(reinterpret_cast<char*>(this) + size()); }
  Block* left() { return reinterpret_cast<Block*>(reinterpret_cast<char*>(this) - left_size); }
  void set_size(size_t size, bool used) {
    size_and_use = size | (used ? kUsed : 0);
    right()->left_size = size;
  }
};

namespace {

// Blocks up to this size are cut from the end of a free block, larger ones from its start: so small ones that stay long gather at one
// side, and do not cut the room for large ones to pieces.
constexpr size_t kSmall = 8 << 10;

unsigned bin_of(size_t size) { return static_cast<unsigned>(std::bit_width(size)) - 1; }

}  // namespace

void Heap::open(void* memory, size_t size) {
  const uintptr_t first = (reinterpret_cast<uintptr_t>(memory) + 15) & ~uintptr_t{15};
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + size) & ~uintptr_t{15};
  *this = Heap();
  if (end < first + 2 * Block::kSmallest || end - first >= size_t{1} << kBinCount) return;

  auto* block = reinterpret_cast<Block*>(first);
  const size_t bytes = end - first - Block::kHeader;
  block->left_size = 0;
  block->set_size(bytes, false);
  block->right()->size_and_use = Block::kUsed;
  start_ = reinterpret_cast<const char*>(first);
  total_bytes_ = bytes;
  insert(block);
}

void* Heap::allocate(size_t bytes) {
  if (bytes > total_bytes_) return nullptr;
  const size_t size = Block::size_for(bytes);
  Block* block = find(size);
  if (block == nullptr) return nullptr;
  remove(block);
  const size_t rest = block->size() - size;
  if (rest < Block::kSmallest) {
    block->set_size(block->size(), true);
  } else if (size <= kSmall) {
    block->set_size(rest, false);
    insert(block);
    block = block->right();
    block->set_size(size, true);
  } else {
    block->set_size(size, true);
    block->right()->set_size(rest, false);
    insert(block->right());
  }
  used_bytes_ += block->size();
  return reinterpret_cast<char*>(block) + Block::kHeader;
}

void Heap::free(void* memory) {
  if (memory == nullptr) return;
  auto* block = reinterpret_cast<Block*>(static_cast<char*>(memory) - Block::kHeader);
  size_t size = block->size();
  used_bytes_ -= size;

  if (Block* right = block->right(); !right->used()) {
    remove(right);
    size += right->size();
  }
  if (block->left_size != 0 && !block->left()->used()) {
    block = block->left();
    remove(block);
    size += block->size();
  }
  block->set_size(size, false);
  insert(block);
}

void Heap::shrink(void* memory, size_t bytes) {
  auto* const block = reinterpret_cast<Block*>(static_cast<char*>(memory) - Block::kHeader);
  const size_t size = Block::size_for(bytes);
  const size_t rest = block->size() - size;
  if (rest < Block::kSmallest) return;
  block->set_size(size, true);
  Block* const tail = block->right();
  tail->set_size(rest, true);
  free(reinterpret_cast<char*>(tail) + Block::kHeader);
}

Heap::Block* Heap::find(size_t size) {
  // Any block of a larger bin fits. Of the block's own bin only a few are looked at, unless there is no larger one.
  constexpr int kLooks = 8;
  const unsigned bin = bin_of(size);
  Block* block = bins_[bin];
  for (int i = 0; i < kLooks && block != nullptr; i++, block = block->next) {
    if (block->size() >= size) return block;
  }
  const uint32_t larger = bin + 1 < kBinCount ? bins_in_use_ >> (bin + 1) << (bin + 1) : 0;
  if (larger != 0) return bins_[std::countr_zero(larger)];
  while (block != nullptr && block->size() < size) block = block->next;
  return block;
}

void Heap::insert(Block* block) {
  const unsigned bin = bin_of(block->size());
  block->previous = nullptr;
  block->next = bins_[bin];
  if (block->next != nullptr) block->next->previous = block;
  bins_[bin] = block;
  bins_in_use_ |= uint32_t{1} << bin;
}

void Heap::remove(Block* block) {
  const unsigned bin = bin_of(block->size());
  if (block->previous != nullptr) block->previous->next = block->next;
  if (block->next != nullptr) block->next->previous = block->previous;
  if (bins_[bin] != block) return;
  bins_[bin] = block->next;
  if (bins_[bin] == nullptr) bins_in_use_ &= ~(uint32_t{1} << bin);
}

}  // namespace shoal
