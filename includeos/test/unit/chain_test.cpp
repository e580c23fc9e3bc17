#include "chain.h"

#include <random>
#include <string>
#include <vector>

#include "check.h"

namespace shoal {
namespace {

std::string drain(Chain& chain, size_t step) {
  std::string all;
  while (!chain.empty()) {
    const std::string_view front = chain.front();
    const size_t part = front.size() < step ? front.size() : step;
    all.append(front.data(), part);
    chain.drop(part);
  }
  return all;
}

}  // namespace

TEST("chain: what goes in comes out, in order, whatever the pieces") {
  std::vector<char> memory(1 << 20);
  Heap heap;
  heap.open(memory.data(), memory.size());
  std::mt19937 random(3);
  {
    Chain chain(heap);
    for (int round = 0; round < 50; round++) {
      std::string wanted;
      for (int i = 0; i < 20; i++) {
        const std::string part(random() % 9000, static_cast<char>('a' + i));
        CHECK(chain.append(part));
        wanted += part;
      }
      CHECK_EQUAL(chain.size(), wanted.size());
      CHECK(drain(chain, 1 + random() % 5000) == wanted);
    }
  }
  CHECK_EQUAL(heap.used_bytes(), size_t{0});
}

TEST("chain: an append that does not fit leaves nothing behind") {
  std::vector<char> memory(64 << 10);
  Heap heap;
  heap.open(memory.data(), memory.size());
  Chain chain(heap);
  CHECK(!chain.append(std::string(100'000, 'x')));
  CHECK(chain.empty());
  CHECK_EQUAL(heap.used_bytes(), size_t{0});
  CHECK(chain.append("kept"));
  const size_t used = heap.used_bytes();
  CHECK(!chain.append(std::string(100'000, 'x')));
  CHECK_EQUAL(heap.used_bytes(), used);
  CHECK(chain.append("!"));
  CHECK_EQUAL(drain(chain, 100), std::string("kept!"));
}

TEST("chain: taking copies what is small and moves what is large") {
  std::vector<char> memory(1 << 20);
  Heap heap;
  heap.open(memory.data(), memory.size());
  Chain out(heap);
  Chain reply(heap);
  std::string wanted;
  for (const size_t size : {10, 20'000, 30, 4064, 5000, 0, 7}) {
    const std::string part(size, static_cast<char>('a' + size % 26));
    CHECK(reply.append(part));
    out.take(reply);
    CHECK(reply.empty());
    wanted += part;
  }
  CHECK(drain(out, 999) == wanted);
}

}  // namespace shoal
