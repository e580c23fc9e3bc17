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
  return kBuffers - static_cast<uint16_t>(offered_ - taken_);
}

size_t ConsolePort::print(const char* bytes, size_t size) {
  size_t printed = 0;
  for (size_t free = free_count(); free > 0 && printed < size; free--) {
    const size_t part = size - printed < kBufferSize ? size - printed : kBufferSize;
    const uint16_t buffer = offered_++ % kBuffers;
    std::memcpy(buffers_[buffer], bytes + printed, part);
    queue_.offer(buffer, buffers_[buffer], static_cast<uint32_t>(part), Queue::Direction::to_device);
    printed += part;
  }
  if (queue_.publish()) device_.notify(kSendQueue);
  return printed;
}

}  // namespace shoal::builtin
