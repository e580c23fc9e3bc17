#include "virtio_net.h"

#include "layout.h"

namespace shoal::builtin {
namespace {

constexpr uint32_t kDeviceNetwork = 1;
constexpr uint32_t kFeatureMac = 1u << 5;

constexpr uint32_t kReceiveQueue = 0;
constexpr uint32_t kSendQueue = 1;

}  // namespace

bool VirtioNet::open(const DeviceSlot& slot) {
  if (!device_.open(slot, kDeviceNetwork, kFeatureMac)) return false;
  for (size_t i = 0; i < sizeof hardware_address_; i++) hardware_address_[i] = device_.config_byte(i);
  if (!device_.open_queue(kReceiveQueue, receive_queue_) || !device_.open_queue(kSendQueue, send_queue_)) return false;

  for (uint16_t i = 0; i < Queue::kSize; i++) free_send_[free_send_count_++] = i;
  for (uint16_t i = 0; i < kReceiveBuffers; i++) recycle(i);
  device_.start(slot, VECTOR_LINK);
  publish();
  return true;
}

bool VirtioNet::receive(Packet& packet) {
  Queue::Used used{};
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
  receive_queue_.offer(buffer, buffers_[buffer], kReceiveBufferSize, Queue::Direction::from_device);
}

bool VirtioNet::send(char* packet, size_t size, void* token) {
  if (free_send_count_ == 0) return false;
  for (size_t i = 0; i < kHeaderSize; i++) packet[i] = 0;
  const uint16_t index = free_send_[--free_send_count_];
  sent_tokens_[index] = token;
  send_queue_.offer(index, packet, static_cast<uint32_t>(size), Queue::Direction::to_device);
  return true;
}

void* VirtioNet::take_sent() {
  Queue::Used used{};
  if (!send_queue_.take(used)) return nullptr;
  free_send_[free_send_count_++] = used.descriptor;
  return sent_tokens_[used.descriptor];
}

/// A notification leaves the VM, so whoever waits for what is sent comes first.
void VirtioNet::publish() {
  if (send_queue_.publish()) device_.notify(kSendQueue);
  if (receive_queue_.publish()) device_.notify(kReceiveQueue);
}

bool VirtioNet::ask_interrupt() { return receive_queue_.ask_interrupt(); }

void VirtioNet::acknowledge_interrupt() { device_.acknowledge_interrupt(); }

}  // namespace shoal::builtin
