#include "chain.h"

#include <cstring>

namespace shoal {

bool Chain::append(std::string_view bytes) {
  // What does not fit is got first, so that a half-written frame can never stay behind.
  Piece* const last_before = last_;
  size_t room = last_ != nullptr ? last_->room() : 0;
  while (room < bytes.size()) {
    if (extend() == nullptr) {
      if (last_before == nullptr) {
        clear();
      } else {
        free_behind(last_before);
      }
      return false;
    }
    room += Piece::kCapacity;
  }
  for (Piece* piece = last_before != nullptr ? last_before : first_; !bytes.empty(); piece = piece->next) {
    const size_t part = bytes.size() < piece->room() ? bytes.size() : piece->room();
    std::memcpy(piece->bytes + piece->end, bytes.data(), part);
    piece->end += static_cast<uint32_t>(part);
    size_ += part;
    bytes.remove_prefix(part);
  }
  return true;
}

Piece* Chain::extend() {
  auto* piece = static_cast<Piece*>(heap_.allocate(sizeof(Piece)));
  if (piece == nullptr) return nullptr;
  piece->next = nullptr;
  piece->start = 0;
  piece->end = 0;
  if (last_ != nullptr) {
    last_->next = piece;
  } else {
    first_ = piece;
  }
  last_ = piece;
  piece_count_++;
  return piece;
}

void Chain::take(Chain& other) {
  if (other.first_ == nullptr) return;
  if (other.first_ == other.last_ && last_ != nullptr && other.size_ <= last_->room()) {
    append(other.front());
    other.rewind();
    return;
  }
  if (last_ != nullptr) {
    last_->next = other.first_;
  } else {
    first_ = other.first_;
  }
  last_ = other.last_;
  size_ += other.size_;
  piece_count_ += other.piece_count_;
  other.first_ = nullptr;
  other.last_ = nullptr;
  other.piece_count_ = 0;
  other.size_ = 0;
}

std::string_view Chain::front() const {
  for (const Piece* piece = first_; piece != nullptr; piece = piece->next) {
    if (piece->size() > 0) return {piece->bytes + piece->start, piece->size()};
  }
  return {};
}

void Chain::drop(size_t bytes) {
  size_ -= bytes;
  while (first_ != nullptr) {
    const size_t part = bytes < first_->size() ? bytes : first_->size();
    first_->start += static_cast<uint32_t>(part);
    bytes -= part;
    if (first_->size() > 0) return;
    Piece* const empty = first_;
    first_ = empty->next;
    free(empty);
  }
  last_ = nullptr;
}

void Chain::clear() {
  while (first_ != nullptr) {
    Piece* const next = first_->next;
    free(first_);
    first_ = next;
  }
  last_ = nullptr;
  size_ = 0;
}

void Chain::rewind() {
  if (first_ == nullptr) return;
  free_behind(first_);
  first_->start = 0;
  first_->end = 0;
  size_ = 0;
}

void Chain::free(Piece* piece) {
  piece_count_--;
  heap_.free(piece);
}

/// `piece` becomes the last one.
void Chain::free_behind(Piece* piece) {
  while (piece->next != nullptr) {
    Piece* const next = piece->next;
    piece->next = next->next;
    free(next);
  }
  last_ = piece;
}

}  // namespace shoal
