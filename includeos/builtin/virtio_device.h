// A virtio device on virtio-mmio, modern (version 2) only: what all of them have in common.
#pragma once

#include <cstddef>
#include <cstdint>

#include "machine.h"
#include "virtqueue.h"

namespace shoal::builtin {

/// Kinds of devices.
constexpr uint32_t kDeviceConsole = 3;

class VirtioDevice {
 public:
  /// Takes over the device of that kind with those features (of the first 32), besides the event index. False: it is not there.
  bool open(const DeviceSlot& slot, uint32_t kind, uint32_t features);

  /// False: the device has no such queue, or a shorter one.
  template <uint16_t size>
  bool open_queue(uint32_t index, const Virtqueue<size>& queue) {
    return open_queue(index, size, queue.descriptors_address(), queue.available_address(), queue.used_address());
  }

  /// The queues are there, and the device's interrupts go to that vector.
  void start(const DeviceSlot& slot, uint32_t vector);

  /// The same without interrupts.
  void start();

  uint8_t config_byte(size_t offset) const;
  void notify(uint32_t queue) const;
  void acknowledge_interrupt() const;

 private:
  bool open_queue(uint32_t index, uint16_t size, uintptr_t descriptors, uintptr_t available, uintptr_t used) const;

  uintptr_t base_ = 0;
};

}  // namespace shoal::builtin
