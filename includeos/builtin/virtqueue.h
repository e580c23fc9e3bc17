// One ring shared with a virtio device (virtio 1.x, split ring, event index), of fixed size (a power of two) and single descriptors.
#pragma once

#include <cstdint>

namespace shoal::builtin {

inline void memory_barrier() { asm volatile("mfence" : : : "memory"); }
inline void compiler_barrier() { asm volatile("" : : : "memory"); }

template <uint16_t kLength>
class Virtqueue {
 public:
  static constexpr uint16_t kSize = kLength;
  static_assert((kSize & (kSize - 1)) == 0);

  enum class Direction : uint16_t { to_device = 0, from_device = 2 };

  struct Used {
    uint16_t descriptor;
    uint32_t size;
  };

  /// Puts a buffer into descriptor `index` and offers it. The device sees it from publish() on.
  void offer(uint16_t index, const void* buffer, uint32_t bytes, Direction direction) {
    descriptors_[index] = {reinterpret_cast<uint64_t>(buffer), bytes, static_cast<uint16_t>(direction), 0};
    available_ring_[available_next_ % kSize] = index;
    available_next_++;
  }

  /// Shows the device what was offered. True: the device has asked to be notified of it.
  bool publish() {
    if (available_next_ == available_shown_) return false;
    compiler_barrier();  // stores are seen in order here, the compiler only must keep them so
    available_index_ = available_next_;
    memory_barrier();    // before the device's wish is read
    const uint16_t count = static_cast<uint16_t>(available_next_ - available_shown_);
    const uint16_t after_wish = static_cast<uint16_t>(available_next_ - notify_wish_ - 1);
    available_shown_ = available_next_;
    return after_wish < count;
  }

  /// Takes one buffer back that the device is done with.
  bool take(Used& used) {
    if (used_next_ == used_index_) return false;
    compiler_barrier();
    const UsedElement& element = used_ring_[used_next_ % kSize];
    used = {static_cast<uint16_t>(element.id % kSize), element.size};
    used_next_++;
    return true;
  }

  /// Asks for an interrupt at the next buffer that comes back. False: one has come back already.
  bool ask_interrupt() {
    interrupt_wish_ = used_next_;
    memory_barrier();
    return used_next_ == used_index_;
  }

  /// Asks for none: somebody looks from time to time. To be called before anything is offered.
  void ask_no_interrupt() { interrupt_wish_ = UINT16_MAX; }

  /// Whether the device has given anything back that was not taken yet.
  bool has_used() const { return used_next_ != used_index_; }

  uintptr_t descriptors_address() const { return reinterpret_cast<uintptr_t>(descriptors_); }
  uintptr_t available_address() const { return reinterpret_cast<uintptr_t>(&available_flags_); }
  uintptr_t used_address() const { return reinterpret_cast<uintptr_t>(&used_flags_); }

 private:
  struct Descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags;
    uint16_t next;
  };
  struct UsedElement {
    uint32_t id;
    uint32_t size;
  };

  alignas(16) Descriptor descriptors_[kSize];

  // The driver's part: read by the device.
  alignas(2) uint16_t available_flags_;
  volatile uint16_t available_index_;
  uint16_t available_ring_[kSize];
  volatile uint16_t interrupt_wish_;

  // The device's part.
  alignas(4) volatile uint16_t used_flags_;
  volatile uint16_t used_index_;
  UsedElement used_ring_[kSize];
  volatile uint16_t notify_wish_;

  uint16_t available_next_;
  uint16_t available_shown_;
  uint16_t used_next_;
};

}  // namespace shoal::builtin
