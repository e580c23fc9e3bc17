#include "machine.h"

#include "layout.h"

namespace shoal::builtin {
namespace {

constexpr uint32_t kPvhMagic = 0x336ec578;
constexpr size_t kCommandLineMax = 4096;
constexpr uint32_t kMemoryMapMax = 64;
constexpr uint32_t kTypeRam = 1;
constexpr uint64_t kMappedEnd = uint64_t{3} << 30;  // tables.S maps three GiB: all that a microvm has below its devices

struct StartInfo {
  uint32_t magic;
  uint32_t version;
  uint32_t flags;
  uint32_t module_count;
  uint64_t modules;
  uint64_t command_line;
  uint64_t acpi;
  uint64_t memory_map;
  uint32_t memory_map_count;
};

struct Module {
  uint64_t address;
  uint64_t size;
  uint64_t command_line;
  uint64_t reserved;
};

struct MemoryRange {
  uint64_t address;
  uint64_t size;
  uint32_t type;
  uint32_t reserved;
};

extern "C" char image_end[];

bool take_number(std::string_view& text, unsigned base, uint64_t& value) {
  size_t digits = 0;
  value = 0;
  while (digits < text.size() && digits < 16) {
    const char c = text[digits];
    unsigned digit = base;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (digit >= base) break;
    value = value * base + digit;
    digits++;
  }
  text.remove_prefix(digits);
  return digits > 0;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The loader puts a ramdisk at the end of the RAM.
void read_module(const StartInfo& info, Machine& machine) {
  machine.module = {};
  if (info.module_count == 0) return;
  const Module& module = *reinterpret_cast<const Module*>(info.modules);
  if (module.address < image_end_address() || module.address > machine.memory_end) return;
  if (module.size > machine.memory_end - module.address) return;
  machine.module = {reinterpret_cast<const char*>(module.address), module.size};
  machine.memory_end = module.address;
}

}  // namespace

uintptr_t image_end_address() { return reinterpret_cast<uintptr_t>(image_end); }

bool machine_read(uintptr_t start_info, Machine& machine) {
  const StartInfo& info = *reinterpret_cast<const StartInfo*>(start_info);
  if (info.magic != kPvhMagic) return false;

  const char* text = reinterpret_cast<const char*>(info.command_line);
  size_t size = 0;
  while (text != nullptr && size < kCommandLineMax && text[size] != '\0') size++;
  machine.command_line = {text, size};

  machine.memory_end = 0;
  if (info.version < 1) return true;
  const auto* ranges = reinterpret_cast<const MemoryRange*>(info.memory_map);
  for (uint32_t i = 0; i < info.memory_map_count && i < kMemoryMapMax; i++) {
    const MemoryRange& range = ranges[i];
    const uint64_t end = range.address + range.size;
    if (range.type != kTypeRam || range.address > IMAGE_BASE || end <= IMAGE_BASE) continue;
    machine.memory_end = end < kMappedEnd ? end : kMappedEnd;
  }
  read_module(info, machine);
  return true;
}

bool next_device_slot(std::string_view& text, DeviceSlot& slot) {
  constexpr std::string_view kKey = "virtio_mmio.device=512@0x";
  for (;;) {
    const size_t at = text.find(kKey);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + kKey.size());
    uint64_t address = 0;
    uint64_t line = 0;
    if (!take_number(text, 16, address) || !take_prefix(text, ":") || !take_number(text, 10, line)) continue;
    if (address < DEVICES_BASE || address > 0xffffffff || line > 23) continue;
    slot = {static_cast<uintptr_t>(address), static_cast<uint32_t>(line)};
    return true;
  }
}

}  // namespace shoal::builtin
