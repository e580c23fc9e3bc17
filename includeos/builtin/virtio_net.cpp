#include "virtio_net.h"

#include "interrupts.h"
#include "shim.h"

namespace shoal::builtin {
namespace {

// Registers of virtio-mmio, version 2.
constexpr uintptr_t kMagic = 0x000;
constexpr uintptr_t kVersion = 0x004;
constexpr uintptr_t kDeviceId = 0x008;
constexpr uintptr_t kDeviceFeatures = 0x010;
constexpr uintptr_t kDeviceFeaturesSelect = 0x014;
constexpr uintptr_t kDriverFeatures = 0x020;
constexpr uintptr_t kDriverFeaturesSelect = 0x024;
constexpr uintptr_t kQueueSelect = 0x030;
constexpr uintptr_t kQueueSizeMax = 0x034;
constexpr uintptr_t kQueueSize = 0x038;
constexpr uintptr_t kQueueReady = 0x044;
constexpr uintptr_t kQueueNotify = 0x050;
constexpr uintptr_t kInterruptAcknowledge = 0x064;
constexpr uintptr_t kStatus = 0x070;
constexpr uintptr_t kQueueDescriptors = 0x080;
constexpr uintptr_t kQueueAvailable = 0x090;
constexpr uintptr_t kQueueUsed = 0x0a0;
constexpr uintptr_t kConfig = 0x100;

constexpr uint32_t kMagicValue = 0x74726976;
constexpr uint32_t kVersionModern = 2;
constexpr uint32_t kDeviceNetwork = 1;
constexpr uint32_t kAllInterrupts = 3;

constexpr uint32_t kStatusAcknowledge = 1;
constexpr uint32_t kStatusDriver = 2;
constexpr uint32_t kStatusDriverOk = 4;
constexpr uint32_t kStatusFeaturesOk = 8;

constexpr uint32_t kFeatureMac = 1u << 5;
constexpr uint32_t kFeatureEventIndex = 1u << 29;
constexpr uint32_t kFeatureVersion1 = 1u << 0;  // of the second 32

constexpr uint32_t kReceiveQueue = 0;
constexpr uint32_t kSendQueue = 1;

bool open_queue(uintptr_t base, uint32_t index, const Virtqueue& queue) {
  write_device(base + kQueueSelect, index);
  if (read_device(base + kQueueSizeMax) < Virtqueue::kSize) return false;
  write_device(base + kQueueSize, Virtqueue::kSize);
  // The high halves stay 0 from the reset: the image lies below 4 GiB.
  write_device(base + kQueueDescriptors, static_cast<uint32_t>(queue.descriptors_address()));
  write_device(base + kQueueAvailable, static_cast<uint32_t>(queue.available_address()));
  write_device(base + kQueueUsed, static_cast<uint32_t>(queue.used_address()));
  write_device(base + kQueueReady, 1);
  return true;
}

}  // namespace

bool VirtioNet::open(const DeviceSlot& slot) {
  base_ = slot.address;
  if (read_device(base_ + kMagic) != kMagicValue || read_device(base_ + kVersion) != kVersionModern ||
      read_device(base_ + kDeviceId) != kDeviceNetwork) {
    return false;
  }
  write_device(base_ + kStatus, kStatusAcknowledge | kStatusDriver);

  write_device(base_ + kDeviceFeaturesSelect, 0);
  const uint32_t wanted = kFeatureMac | kFeatureEventIndex;
  if ((read_device(base_ + kDeviceFeatures) & wanted) != wanted) return false;
  write_device(base_ + kDriverFeaturesSelect, 0);
  write_device(base_ + kDriverFeatures, wanted);
  write_device(base_ + kDriverFeaturesSelect, 1);
  write_device(base_ + kDriverFeatures, kFeatureVersion1);
  write_device(base_ + kStatus, kStatusAcknowledge | kStatusDriver | kStatusFeaturesOk);

  for (size_t i = 0; i < sizeof hardware_address_; i++) {
    hardware_address_[i] = *reinterpret_cast<volatile uint8_t*>(base_ + kConfig + i);
  }
  if (!open_queue(base_, kReceiveQueue, receive_queue_) || !open_queue(base_, kSendQueue, send_queue_)) return false;

  for (uint16_t i = 0; i < Virtqueue::kSize; i++) free_send_[free_send_count_++] = i;
  for (uint16_t i = 0; i < kReceiveBuffers; i++) recycle(i);
  interrupt_route(slot.interrupt_line, VECTOR_NETWORK);
  write_device(base_ + kStatus, kStatusAcknowledge | kStatusDriver | kStatusFeaturesOk | kStatusDriverOk);
  publish();
  return true;
}

bool VirtioNet::receive(Packet& packet) {
  Virtqueue::Used used{};
  while (receive_queue_.take(used)) {
    const uint16_t buffer = static_cast<uint16_t>(used.descriptor % kReceiveBuffers);
    if (used.size > kHeaderSize && used.size <= kReceiveBufferSize) {
      packet = {buffer, buffers_[buffer] + kHeaderSize, used.size - kHeaderSize};
      return true;
    }
    recycle(buffer);
  }
  return false;
}

void VirtioNet::recycle(uint16_t buffer) {
  receive_queue_.offer(buffer, buffers_[buffer], kReceiveBufferSize, Virtqueue::Direction::from_device);
}

bool VirtioNet::send(char* packet, size_t size, void* token) {
  if (free_send_count_ == 0) return false;
  for (size_t i = 0; i < kHeaderSize; i++) packet[i] = 0;
  const uint16_t index = free_send_[--free_send_count_];
  sent_tokens_[index] = token;
  send_queue_.offer(index, packet, static_cast<uint32_t>(size), Virtqueue::Direction::to_device);
  return true;
}

void* VirtioNet::take_sent() {
  Virtqueue::Used used{};
  if (!send_queue_.take(used)) return nullptr;
  free_send_[free_send_count_++] = used.descriptor;
  return sent_tokens_[used.descriptor];
}

void VirtioNet::publish() {
  if (receive_queue_.publish()) write_device(base_ + kQueueNotify, kReceiveQueue);
  if (send_queue_.publish()) write_device(base_ + kQueueNotify, kSendQueue);
}

bool VirtioNet::ask_interrupt() { return receive_queue_.ask_interrupt(); }

void VirtioNet::acknowledge_interrupt() { write_device(base_ + kInterruptAcknowledge, kAllInterrupts); }

}  // namespace shoal::builtin
