// The guest as a program of Linux: the platform that the core asks for, and the event loop. Its console is standard input and output.
//
//   shoal-guest [--silent] WORD...     the words of the guest contract's command line; others are ignored
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "console_input.h"
#include "heap.h"
#include "server.h"
#include "settings.h"
#include "tcp_stream.h"
#include "telemetry.h"

namespace shoal::on_linux {
namespace {

constexpr int kStopped = 0;
constexpr int kBadArgument = 1;

class LinuxPlatform final : public Platform {
 public:
  explicit LinuxPlatform(bool silent) : silent_(silent) {}

  uint64_t now_ns() override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
  }

  uint64_t asleep_ns() override { return asleep_ns_; }

  /// All that the system uses, beside the heap, which the server counts itself.
  uint64_t image_bytes() override {
    struct sysinfo info{};
    if (sysinfo(&info) != 0) return 0;
    const uint64_t used = (info.totalram - info.freeram) * info.mem_unit;
    const uint64_t counted = heap.used_bytes();
    return used > counted ? used - counted : 0;
  }

  bool print(std::string_view text) override {
    while (!silent_ && !text.empty()) {
      const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
      if (size > 0) {
        text.remove_prefix(static_cast<size_t>(size));
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  bool receive() override {
    char bytes[64];
    while (console_ >= 0) {
      const ssize_t size = read(console_, bytes, sizeof bytes);
      if (size == 0) console_ = -1;  // at its end, where there would be something to read forever
      if (size <= 0) break;
      input_.feed({bytes, static_cast<size_t>(size)}, [this](std::string_view line) {
        if (line == "stop") server->stop();
      });
    }
    return streams->receive();
  }

  void transmit() override {}

  void sleep_until(uint64_t due_ns) {
    const uint64_t before_ns = now_ns();
    if (due_ns <= before_ns) return;
    streams->wait(console_, due_ns - before_ns);
    asleep_ns_ += now_ns() - before_ns;
  }

  Heap heap;
  Server* server = nullptr;
  TcpStreams* streams = nullptr;

 private:
  bool silent_;
  int console_ = STDIN_FILENO;
  uint64_t asleep_ns_ = 0;
  ConsoleInput input_;
};

/// Several of the largest texts, and what the connections hold. Linux gives memory only where it is touched.
size_t heap_size_for(const Settings& settings) { return 6 * settings.payload_max + (4 << 20); }

int refuse(LinuxPlatform& platform, const BadArgument& bad) {
  Telemetry(platform).print_bad_argument(bad);
  return kBadArgument;
}

int run(bool silent, std::string_view command_line) {
  static LinuxPlatform platform(silent);
  static Settings settings;
  BadArgument bad{};
  if (!read_settings(command_line, settings, bad)) return refuse(platform, bad);

  const size_t heap_size = heap_size_for(settings);
  void* const memory = mmap(nullptr, heap_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return refuse(platform, {"shoal.max", std::to_string(settings.payload_max), "too-little-memory"});
  platform.heap.open(memory, heap_size);
  static Server server(platform, settings, service, platform.heap);
  static TcpStreams streams(server);
  platform.server = &server;
  platform.streams = &streams;
  if (!streams.listen(settings.port)) return refuse(platform, {"shoal.port", std::to_string(settings.port), "cannot-listen"});

  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  server.start();
  while (!server.finished()) {
    platform.receive();
    server.work();
    server.move();
    if (!server.busy() && !server.finished()) platform.sleep_until(server.due_ns());
  }
  Telemetry(platform).print_bye("stop");
  return kStopped;
}

}  // namespace
}  // namespace shoal::on_linux

int main(int count, char** words) {
  bool silent = false;
  std::string command_line;
  for (int i = 1; i < count; i++) {
    const std::string_view word = words[i];
    if (word == "--silent") {
      silent = true;
    } else {
      command_line.append(word).append(" ");
    }
  }
  return shoal::on_linux::run(silent, command_line);
}
