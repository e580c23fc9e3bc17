#include "heap.h"

#include <cstring>
#include <random>
#include <vector>

#include "check.h"

namespace shoal {

TEST("heap: all of it can be had again after any order of freeing") {
  std::vector<char> memory(1 << 20);
  Heap heap;
  heap.open(memory.data(), memory.size());
  const size_t all = heap.free_bytes() - 64;
  void* whole = heap.allocate(all);
  CHECK(whole != nullptr);
  heap.free(whole);

  std::mt19937 random(7);
  struct Block {
    char* bytes;
    size_t size;
    char mark;
  };
  std::vector<Block> blocks;
  for (int i = 0; i < 20'000; i++) {
    if (random() % 2 == 0) {
      const size_t size = random() % 3 == 0 ? random() % 40'000 : random() % 200;
      auto* const bytes = static_cast<char*>(heap.allocate(size));
      if (bytes == nullptr) continue;
      CHECK_EQUAL(reinterpret_cast<uintptr_t>(bytes) % 16, uintptr_t{0});
      const char mark = static_cast<char>(random());
      std::memset(bytes, mark, size);
      blocks.push_back({bytes, size, mark});
    } else if (!blocks.empty() && random() % 3 == 0) {
      Block& block = blocks[random() % blocks.size()];
      block.size = random() % (block.size + 1);
      const size_t used = heap.used_bytes();
      heap.shrink(block.bytes, block.size);
      CHECK(heap.used_bytes() <= used);
    } else if (!blocks.empty()) {
      const size_t at = random() % blocks.size();
      const Block block = blocks[at];
      for (size_t k = 0; k < block.size; k++) CHECK(block.bytes[k] == block.mark);
      heap.free(block.bytes);
      blocks[at] = blocks.back();
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) heap.free(block.bytes);
  CHECK_EQUAL(heap.used_bytes(), size_t{0});
  whole = heap.allocate(all);
  CHECK(whole != nullptr);
}

TEST("heap: too much is refused, and so is everything of an empty heap") {
  std::vector<char> memory(4096);
  Heap heap;
  CHECK(heap.allocate(1) == nullptr);
  heap.open(memory.data(), 16);
  CHECK(heap.allocate(1) == nullptr);
  heap.open(memory.data(), memory.size());
  CHECK(heap.allocate(SIZE_MAX) == nullptr);
  CHECK(heap.allocate(SIZE_MAX - 20) == nullptr);
  CHECK(heap.allocate(4096) == nullptr);
  heap.free(nullptr);
  CHECK(heap.allocate(3000) != nullptr);
}

}  // namespace shoal
