// Bytes on their way out, in pieces of one size, so that a reply can grow without being moved and the heap stays whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heap.h"

namespace shoal {

struct Piece {
  static constexpr size_t kCapacity = 4096 - 32;  // with the headers, one page

  Piece* next;
  uint32_t start;
  uint32_t end;
  char bytes[kCapacity];

  size_t size() const { return end - start; }
  size_t room() const { return kCapacity - end; }
};

class Chain {
 public:
  explicit Chain(Heap& heap) : heap_(heap) {}
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  ~Chain() { clear(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// What it takes of the heap.
  size_t heap_bytes() const { return piece_count_ * sizeof(Piece); }

  /// All or nothing. False: out of memory.
  bool append(std::string_view bytes);

  /// Adds an empty piece at the end, for bytes that are written in place; null: out of memory.
  Piece* extend();

  /// Counts bytes that were written in place into the last piece.
  void grown(size_t bytes) { size_ += bytes; }

  /// Moves what `other` holds behind what is here. Small amounts are copied and leave `other` its piece, for the next time.
  void take(Chain& other);

  /// The first bytes, as many as lie together.
  std::string_view front() const;
  void drop(size_t bytes);

  Piece* first() { return first_; }
  Piece* last() { return last_; }
  void clear();

  /// Empties it but keeps one piece.
  void rewind();

 private:
  void free(Piece* piece);
  void free_behind(Piece* piece);

  Heap& heap_;
  Piece* first_ = nullptr;
  Piece* last_ = nullptr;
  size_t piece_count_ = 0;
  size_t size_ = 0;
};

}  // namespace shoal
