// The functions that a compiler takes for granted. Compiled with loop recognition off (build.sh), or they would call themselves.
// Plain wide loads and stores: `rep movsb`, quick on a processor, goes byte by byte where QEMU translates.
#include <emmintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

template <typename Word>
Word load(const unsigned char* from) {
  Word word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

template <typename Word>
void store(unsigned char* to, Word word) {
  __builtin_memcpy(to, &word, sizeof word);
}

__m128i load_wide(const unsigned char* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
void store_wide(unsigned char* to, __m128i wide) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), wide); }

/// A block whose size is between one word and two: the two words overlap.
template <typename Word>
void copy_two(unsigned char* to, const unsigned char* from, size_t size) {
  const Word first = load<Word>(from);
  const Word last = load<Word>(from + size - sizeof(Word));
  store(to, first);
  store(to + size - sizeof(Word), last);
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t size) {
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  if (size < 16) {
    if (size >= 8) {
      copy_two<uint64_t>(target, source, size);
    } else if (size >= 4) {
      copy_two<uint32_t>(target, source, size);
    } else if (size >= 2) {
      copy_two<uint16_t>(target, source, size);
    } else if (size == 1) {
      *target = *source;
    }
    return to;
  }
  const __m128i last = load_wide(source + size - 16);
  unsigned char* const last_target = target + size - 16;
  while (size > 16) {
    store_wide(target, load_wide(source));
    target += 16;
    source += 16;
    size -= 16;
  }
  store_wide(last_target, last);
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  if (target + size <= source || source + size <= target) return memcpy(to, from, size);
  if (target < source) {
    for (; size >= 8; size -= 8, target += 8, source += 8) store(target, load<uint64_t>(source));
    for (; size > 0; size--) *target++ = *source++;
    return to;
  }
  for (; size >= 8; size -= 8) store(target + size - 8, load<uint64_t>(source + size - 8));
  for (; size > 0; size--) target[size - 1] = source[size - 1];
  return to;
}

void* memset(void* to, int byte, size_t size) {
  auto* target = static_cast<unsigned char*>(to);
  const __m128i wide = _mm_set1_epi8(static_cast<char>(byte));
  for (; size >= 16; size -= 16, target += 16) store_wide(target, wide);
  for (; size > 0; size--) *target++ = static_cast<unsigned char>(byte);
  return to;
}

int memcmp(const void* left, const void* right, size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (; size >= 8 && load<uint64_t>(a) == load<uint64_t>(b); size -= 8, a += 8, b += 8) {
  }
  for (; size > 0; size--, a++, b++) {
    if (*a != *b) return *a < *b ? -1 : 1;
  }
  return 0;
}

void* memchr(const void* block, int byte, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] == static_cast<unsigned char>(byte)) return const_cast<unsigned char*>(bytes + i);
  }
  return nullptr;
}

size_t strlen(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') size++;
  return size;
}

}  // extern "C"
