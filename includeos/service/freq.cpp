// The commonest words. A hash table of word positions in the text itself, so that no word is copied.
#include <cstring>

#include "number.h"
#include "operations.h"
#include "words.h"

namespace shoal {
namespace {

constexpr size_t kTopMax = 20;
constexpr size_t kSlotsAtFirst = 1024;  // a power of two, as ever after

struct Slot {
  uint32_t start;
  uint32_t size;   // 0: empty
  uint32_t count;
  uint32_t hash;
};

uint32_t hash_of(std::string_view word) {
  uint64_t hash = 0x9e3779b97f4a7c15 ^ word.size();
  const char* bytes = word.data();
  size_t left = word.size();
  while (left > 0) {
    uint64_t piece = 0;
    const size_t size = left < sizeof piece ? left : sizeof piece;
    std::memcpy(&piece, bytes, size);
    hash = (hash ^ piece) * 0xd6e8feb86659fd93;
    hash ^= hash >> 32;
    bytes += size;
    left -= size;
  }
  return static_cast<uint32_t>(hash);
}

class WordTable {
 public:
  explicit WordTable(std::string_view text) : text_(text) {}

  /// False: there is no memory for it.
  bool open() { return resize(kSlotsAtFirst); }

  /// False: the table is full, and there is no memory for a larger one beside it.
  bool add(std::string_view word) {
    if (words_ >= capacity_ - capacity_ / 4 && !resize(capacity_ * 2)) return false;
    const uint32_t hash = hash_of(word);
    Slot& slot = find(word, hash);
    if (slot.size == 0) {
      slot = {static_cast<uint32_t>(word.data() - text_.data()), static_cast<uint32_t>(word.size()), 0, hash};
      words_++;
    }
    slot.count++;
    return true;
  }

  /// Begins anew with a larger table in the place of the full one, for which there may be memory. False: there is not.
  bool restart() {
    const size_t capacity = capacity_ * 2;
    shoal_free(slots_);
    slots_ = nullptr;
    capacity_ = 0;
    words_ = 0;
    return resize(capacity);
  }

  size_t capacity() const { return capacity_; }
  const Slot& slot(size_t index) const { return slots_[index]; }
  std::string_view word(const Slot& slot) const { return {text_.data() + slot.start, slot.size}; }

 private:
  Slot& find(std::string_view word, uint32_t hash) {
    for (size_t at = hash & (capacity_ - 1);; at = (at + 1) & (capacity_ - 1)) {
      Slot& slot = slots_[at];
      if (slot.size == 0 || (slot.hash == hash && this->word(slot) == word)) return slot;
    }
  }

  bool resize(size_t capacity) {
    auto* const slots = static_cast<Slot*>(shoal_allocate(capacity * sizeof(Slot)));
    if (slots == nullptr) return false;
    std::memset(slots, 0, capacity * sizeof(Slot));
    for (size_t i = 0; i < capacity_; i++) {
      if (slots_[i].size == 0) continue;
      size_t at = slots_[i].hash & (capacity - 1);
      while (slots[at].size != 0) at = (at + 1) & (capacity - 1);
      slots[at] = slots_[i];
    }
    shoal_free(slots_);
    slots_ = slots;
    capacity_ = capacity;
    return true;
  }

  std::string_view text_;
  Slot* slots_ = nullptr;
  size_t capacity_ = 0;
  size_t words_ = 0;
};

/// The best so far, best first.
class Top {
 public:
  explicit Top(const WordTable& table) : table_(table) {}

  void offer(const Slot& slot) {
    size_t at = size_;
    while (at > 0 && better(slot, *slots_[at - 1])) at--;
    if (at == kTopMax) return;
    if (size_ < kTopMax) size_++;
    for (size_t i = size_ - 1; i > at; i--) slots_[i] = slots_[i - 1];
    slots_[at] = &slot;
  }

  size_t size() const { return size_; }
  const Slot& slot(size_t index) const { return *slots_[index]; }

 private:
  bool better(const Slot& a, const Slot& b) const {
    if (a.count != b.count) return a.count > b.count;
    return table_.word(a) < table_.word(b);  // the order of UTF-8 bytes is that of the code points
  }

  const WordTable& table_;
  const Slot* slots_[kTopMax] = {};
  size_t size_ = 0;
};

/// As JSON.stringify does.
bool write_json(Reply& reply, std::string_view word) {
  if (!reply.write('"')) return false;
  for (const char byte : word) {
    bool written = false;
    switch (byte) {
      case '"': written = reply.write("\\\""); break;
      case '\\': written = reply.write("\\\\"); break;
      case '\b': written = reply.write("\\b"); break;
      default:
        if (static_cast<unsigned char>(byte) < 0x20) {  // the other short ones are blanks, which no word has
          const char escape[] = {'\\', 'u', '0', '0', static_cast<char>('0' + (byte >> 4)), "0123456789abcdef"[byte & 0xf]};
          written = reply.write({escape, sizeof escape});
        } else {
          written = reply.write(byte);
        }
    }
    if (!written) return false;
  }
  return reply.write('"');
}

}  // namespace

bool run_freq(const Request& request, Reply& reply) {
  WordTable table(request.text);
  if (!table.open()) return false;

  std::string_view rest = request.text;
  const char* yielded = rest.data();
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (!table.add(word)) {
      if (!table.restart()) return false;
      rest = request.text;
      yielded = rest.data();
      continue;
    }
    if (static_cast<size_t>(rest.data() - yielded) < kBytesPerYield) continue;
    yielded = rest.data();
    if (!shoal_yield()) return false;
  }

  Top top(table);
  for (size_t i = 0; i < table.capacity(); i++) {
    if (table.slot(i).size > 0) top.offer(table.slot(i));
    if (i % kBytesPerYield == 0 && !shoal_yield()) return false;
  }

  if (!reply.write('[')) return false;
  for (size_t i = 0; i < top.size(); i++) {
    if (i > 0 && !reply.write(',')) return false;
    if (!reply.write('[') || !write_json(reply, table.word(top.slot(i))) || !reply.write(',') ||
        !write_number(reply, top.slot(i).count) || !reply.write(']')) {
      return false;
    }
  }
  return reply.write(']');
}

}  // namespace shoal
