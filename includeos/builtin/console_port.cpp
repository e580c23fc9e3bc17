#include "console_port.h"

#include <cstring>

namespace shoal::builtin {
namespace {

constexpr uint32_t kSendQueue = 1;

}  // namespace

bool ConsolePort::open(const DeviceSlot& slot) {
  VirtioDevice device;
  if (!device.open(slot, kDeviceConsole, 0) || !open(device)) return false;
  device_.start();
  return true;
}

bool ConsolePort::open(const VirtioDevice& device) {
  device_ = device;
  queue_.ask_no_interrupt();
  return device_.open_queue(kSendQueue, queue_);
}

size_t ConsolePort::free_count() {
  Queue::Used used{};
  while (queue_.take(used)) taken_++;
  return kBuffers - static_cast<uint16_t>(printed_ - taken_);
}

size_t ConsolePort::print(const char* bytes, size_t size) {
  if (free_count() == 0) return 0;
  const size_t part = size < kBufferSize ? size : kBufferSize;
  const uint16_t buffer = printed_++ % kBuffers;
  std::memcpy(buffers_[buffer], bytes, part);
  queue_.offer(buffer, buffers_[buffer], static_cast<uint32_t>(part), Queue::Direction::to_device);
  if (queue_.publish()) device_.notify(kSendQueue);
  return part;
}

}  // namespace shoal::builtin
