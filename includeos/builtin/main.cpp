// Ring 3 starts here: reads what the machine is, brings it up, and runs the server for as long as the machine is.
#include <new>

#include "clock.h"
#include "console.h"
#include "console_input.h"
#include "heap.h"
#include "interrupts.h"
#include "machine.h"
#include "network.h"
#include "panic.h"
#include "port.h"
#include "port_link.h"
#include "resident.h"
#include "server.h"
#include "settings.h"
#include "shim.h"
#include "shoal/text_writer.h"
#include "telemetry.h"
#include "virtio_net.h"
#include "virtio_serial.h"

namespace shoal::builtin {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;

// While a request is computed nobody sleeps, so no interrupt tells of input on the console. Looking costs an exit.
constexpr uint64_t kConsoleLookNs = 20 * kNsPerMs;

// How long clients have to take their last replies, and a slow reader of the console its last lines.
constexpr uint64_t kLastRepliesNs = 5000 * kNsPerMs;
constexpr uint64_t kLastLinesNs = 1000 * kNsPerMs;

// A console whose reader pauses is tried again this often.
constexpr uint64_t kConsoleRetryNs = 5 * kNsPerMs;

class BuiltinPlatform final : public Platform {
 public:
  uint64_t now_ns() override { return clock_ns(); }
  uint64_t asleep_ns() override { return clock_asleep_ns(); }
  uint64_t image_bytes() override {
    const Resident& own = resident();
    return image_end_address() - IMAGE_BASE + (own.used_bytes != nullptr ? own.used_bytes() : 0);
  }
  bool print(std::string_view text) override { return console.print(text); }
  bool receive() override;
  void transmit() override;

  Console console;
  ConsoleInput console_input;
  Server* server = nullptr;
  bool has_port = false;  // for the link, in the place of a network
  bool console_took = false;  // what it was given last
  uint64_t console_look_ns = 0;
};

bool BuiltinPlatform::receive() {
  const bool came = has_port ? port_receive() : network_receive();
  const uint64_t now_ns = clock_ns();
  if (!take_interrupt(VECTOR_CONSOLE) && now_ns < console_look_ns) return came;
  console_look_ns = now_ns + kConsoleLookNs;
  char bytes[64];
  while (const size_t size = console.read(bytes, sizeof bytes)) {
    console_input.feed({bytes, size}, [&](std::string_view line) {
      if (line == "stop") server->stop();
    });
  }
  return came;
}

void BuiltinPlatform::transmit() {
  if (has_port) {
    port_transmit();
  } else {
    network_transmit();
  }
  console_took = console.has_output() && console.flush_some(server->has_work());
}

// In static memory, since some of them are large; constructed here, since nobody runs static constructors.
alignas(64) char platform_memory[sizeof(BuiltinPlatform)];
alignas(64) char device_memory[sizeof(VirtioNet) > sizeof(VirtioSerial) ? sizeof(VirtioNet) : sizeof(VirtioSerial)];
alignas(64) char server_memory[sizeof(Server)];
alignas(16) char link_memory[sizeof(PortLink)];
alignas(64) char console_memory[sizeof(ConsolePort)];
constinit Settings settings = {};
constinit Heap heap;

[[noreturn]] void power_off(BuiltinPlatform& platform, uint32_t code) {
  platform.console.flush_within(kLastLinesNs);
  shim_power_off(code);
}

[[noreturn]] void refuse(BuiltinPlatform& platform, const BadArgument& bad) {
  Telemetry(platform).print_bad_argument(bad);
  power_off(platform, POWER_OFF_BAD_ARGUMENT);
}

/// The first slot in which `open(slot)` finds what it looks for.
template <typename Open>
bool find_device(std::string_view command_line, Open open) {
  DeviceSlot slot{};
  while (next_device_slot(command_line, slot)) {
    if (open(slot)) return true;
  }
  return false;
}

bool may_sleep(const BuiltinPlatform& platform) { return platform.has_port ? port_may_sleep() : network_may_sleep(); }

void run(BuiltinPlatform& platform, Server& server) {
  const auto settle = resident().settle;
  while (!server.finished()) {
    platform.receive();
    server.work();
    server.move();
    platform.transmit();
    if (settle != nullptr) settle();
    const bool prints = platform.console_took && platform.console.has_output();
    if (prints || server.busy() || server.finished() || !may_sleep(platform)) continue;

    uint64_t due_ns = server.due_ns();
    if (!platform.has_port && network_due_ns() < due_ns) due_ns = network_due_ns();
    if (platform.console.has_output() && clock_ns() + kConsoleRetryNs < due_ns) due_ns = clock_ns() + kConsoleRetryNs;
    clock_sleep_until(due_ns);
  }
}

/// True once the peers have everything.
bool close_link(const BuiltinPlatform& platform) { return platform.has_port ? port_is_empty() : network_close(); }

void say_goodbye(BuiltinPlatform& platform) {
  const uint64_t end_ns = clock_ns() + kLastRepliesNs;
  bool closed = close_link(platform);
  while (!closed && clock_ns() < end_ns) {
    platform.receive();
    platform.transmit();
    closed = close_link(platform);
    // A port tells of no end: it is looked at again and again.
    if (!closed && !platform.has_port && network_may_sleep()) clock_sleep_until(network_due_ns());
  }
  Telemetry(platform).print_bye("stop");
}

void open_link(BuiltinPlatform& platform, Server& server, std::string_view command_line) {
  if (settings.link_key.empty()) {
    auto& card = *new (device_memory) VirtioNet();
    if (!find_device(command_line, [&](const DeviceSlot& slot) { return card.open(slot); })) {
      refuse(platform, {"virtio_mmio.device", {}, "no-network-card"});
    }
    network_open(card, settings, server);
    auto& console = *new (console_memory) ConsolePort();
    if (find_device(command_line, [&](const DeviceSlot& slot) { return console.open(slot); })) platform.console.divert(console);
    return;
  }
  auto& device = *new (device_memory) VirtioSerial();
  if (!find_device(command_line, [&](const DeviceSlot& slot) { return device.open(slot, kPortName); })) {
    refuse(platform, {"virtio_mmio.device", {}, "no-port-shoal.link"});
  }
  port_open(device, *new (link_memory) PortLink(device, server, settings.link_key));
  platform.has_port = true;
  if (device.console() != nullptr) platform.console.divert(*device.console());
}

/// What main() sets aside for the service at the heap's end: most of what the server can do without.
size_t resident_share(size_t heap_size) {
  const size_t spare = heap_size - MemoryBudget::least_bytes(settings);
  const size_t share = spare - spare / 8 < resident().most_bytes ? spare - spare / 8 : resident().most_bytes;
  return share & ~size_t{0xfff};
}

void open_resident(BuiltinPlatform& platform, char* memory, size_t bytes, const Machine& machine) {
  const Resident& own = resident();
  if (own.open == nullptr) return;
  const char* const why = bytes < own.least_bytes ? "too-little-memory" : own.open(memory, bytes, machine);
  if (why == nullptr) return;
  Telemetry(platform).print_bad_service(why);
  power_off(platform, POWER_OFF_BAD_ARGUMENT);
}

}  // namespace

void await_console() { std::launder(reinterpret_cast<BuiltinPlatform*>(platform_memory))->console.await_device(); }

void print_logged() { std::launder(reinterpret_cast<BuiltinPlatform*>(platform_memory))->console.flush_within(kLastLinesNs); }

namespace {

extern "C" [[noreturn]] void start(uint32_t start_info) {
  interrupts_open();
  clock_open();
  auto& platform = *new (platform_memory) BuiltinPlatform();
  platform.console.open();

  Machine machine{};
  if (!machine_read(start_info, machine)) panic("not started by PVH");
  BadArgument bad{};
  if (!read_settings(machine.command_line, settings, bad)) refuse(platform, bad);

  const uintptr_t heap_start = image_end_address();
  const uintptr_t memory_end = machine.memory_end & ~uintptr_t{0xfff};  // what is kept for the service consists of whole pages
  const size_t heap_size = memory_end > heap_start ? memory_end - heap_start : 0;
  if (!MemoryBudget::suffices(heap_size, settings)) {
    TextWriter<24> value;
    value.add(settings.payload_max);
    refuse(platform, {"shoal.max", value.text(), "too-little-memory"});
  }
  const size_t resident_size = resident_share(heap_size);
  heap.open(reinterpret_cast<void*>(heap_start), heap_size - resident_size);

  auto& server = *new (server_memory) Server(platform, settings, *resident().service, heap);
  platform.server = &server;
  open_resident(platform, reinterpret_cast<char*>(heap_start) + heap_size - resident_size, resident_size, machine);
  open_link(platform, server, machine.command_line);

  server.start();
  run(platform, server);
  say_goodbye(platform);
  power_off(platform, POWER_OFF_STOP);
}

}  // namespace
}  // namespace shoal::builtin

#ifdef SHOAL_TEST_IMAGE
void shoal_reset_machine() { shoal::builtin::shim_power_off(POWER_OFF_RESET); }
#endif
