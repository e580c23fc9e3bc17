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
#include "server.h"
#include "settings.h"
#include "shim.h"
#include "shoal/text_writer.h"
#include "telemetry.h"
#include "virtio_net.h"

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
  uint64_t image_bytes() override { return image_end_address() - IMAGE_BASE; }
  bool print(std::string_view text) override { return console.print(text); }
  bool receive() override;
  void transmit() override;

  Console console;
  ConsoleInput console_input;
  Server* server = nullptr;
  uint64_t console_look_ns = 0;
};

bool BuiltinPlatform::receive() {
  const bool came = network_receive();
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
  network_transmit();
  console.flush();
}

// In static memory, since some of them are large; constructed here, since nobody runs static constructors.
alignas(64) char platform_memory[sizeof(BuiltinPlatform)];
alignas(64) char card_memory[sizeof(VirtioNet)];
alignas(64) char server_memory[sizeof(Server)];
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

bool open_card(VirtioNet& card, std::string_view command_line) {
  DeviceSlot slot{};
  while (next_device_slot(command_line, slot)) {
    if (card.open(slot)) return true;
  }
  return false;
}

void run(BuiltinPlatform& platform, Server& server) {
  while (!server.finished()) {
    platform.receive();
    server.work();
    server.move();
    platform.transmit();
    if (server.busy() || server.finished() || !network_may_sleep()) continue;

    uint64_t due_ns = server.due_ns();
    if (network_due_ns() < due_ns) due_ns = network_due_ns();
    if (platform.console.has_output() && clock_ns() + kConsoleRetryNs < due_ns) due_ns = clock_ns() + kConsoleRetryNs;
    clock_sleep_until(due_ns);
  }
}

void say_goodbye(BuiltinPlatform& platform) {
  const uint64_t end_ns = clock_ns() + kLastRepliesNs;
  bool closed = network_close();
  while (!closed && clock_ns() < end_ns) {
    platform.receive();
    platform.transmit();
    closed = network_close();
    if (!closed && network_may_sleep()) clock_sleep_until(network_due_ns());
  }
  Telemetry(platform).print_bye("stop");
}

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
  const size_t heap_size = machine.memory_end > heap_start ? machine.memory_end - heap_start : 0;
  if (!MemoryBudget::suffices(heap_size, settings)) {
    TextWriter<24> value;
    value.add(settings.payload_max);
    refuse(platform, {"shoal.max", value.text(), "too-little-memory"});
  }
  heap.open(reinterpret_cast<void*>(heap_start), heap_size);

  auto& card = *new (card_memory) VirtioNet();
  if (!open_card(card, machine.command_line)) refuse(platform, {"virtio_mmio.device", {}, "no-network-card"});
  auto& server = *new (server_memory) Server(platform, settings, service, heap);
  platform.server = &server;
  network_open(card, settings, server);

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
