// A guest without a machine: the core with a clock that tests move, connections that tests write and read, and the real service.
#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "frame.h"
#include "server.h"

namespace shoal::test {

struct Frame {
  FrameType type;
  uint64_t id;
  std::string token;
  std::string payload;
};

inline size_t count_of(const std::vector<Frame>& frames, std::string_view payload) {
  size_t count = 0;
  for (const Frame& frame : frames) count += frame.payload == payload ? 1 : 0;
  return count;
}

inline std::string encode(FrameType type, uint64_t id, std::string_view operation = "", std::string_view token = "",
                          std::string_view payload = "") {
  FrameHeader header{};
  header.length = static_cast<uint32_t>(operation.size() + token.size() + payload.size());
  header.type = type;
  header.operation_size = static_cast<uint8_t>(operation.size());
  header.token_size = static_cast<uint16_t>(token.size());
  header.id = id;
  std::string frame(FrameHeader::kSize, '\0');
  encode_frame_header(header, frame.data());
  return frame.append(operation).append(token).append(payload);
}

inline std::string request(uint64_t id, std::string_view operation, std::string_view payload, std::string_view token = "") {
  return encode(FrameType::request, id, operation, token, payload);
}

class TestStream final : public Stream {
 public:
  size_t write(const char* bytes, size_t size) override {
    const size_t part = size < room ? size : room;
    room -= part;
    output.append(bytes, part);
    return part;
  }
  void flush() override {}
  void consumed(size_t size) override { consumed_bytes += size; }
  void finish() override { finished = true; }
  void abort() override { aborted = true; }

  bool ended() const { return finished || aborted; }

  /// The frames that have arrived whole; they are taken out.
  std::vector<Frame> take_frames() {
    std::vector<Frame> frames;
    while (output.size() >= FrameHeader::kSize) {
      const FrameHeader header = decode_frame_header(output.data());
      if (output.size() - FrameHeader::kSize < header.length) break;
      const char* const body = output.data() + FrameHeader::kSize + header.operation_size;
      frames.push_back({header.type, header.id, std::string(body, header.token_size),
                        std::string(body + header.token_size, header.payload_size())});
      output.erase(0, FrameHeader::kSize + header.length);
    }
    return frames;
  }

  std::string output;
  size_t room = SIZE_MAX;  // how much more the peer takes
  size_t consumed_bytes = 0;
  bool finished = false;
  bool aborted = false;
};

class TestPlatform final : public Platform {
 public:
  uint64_t now_ns() override { return clock_ns += step_ns; }
  uint64_t asleep_ns() override { return slept_ns; }
  uint64_t image_bytes() override { return 1'000'000; }
  bool print(std::string_view text) override {
    console.append(text);
    return true;
  }
  bool receive() override {
    if (!on_receive) return false;
    const auto call = std::move(on_receive);
    on_receive = nullptr;
    call();
    return true;
  }
  void transmit() override {}

  uint64_t clock_ns = 1;
  uint64_t step_ns = 1000;  // each look at the clock takes so long
  uint64_t slept_ns = 0;
  std::string console;
  std::function<void()> on_receive;  // happens once, at the next yield that lets the network in
};

inline Settings test_settings(size_t payload_max) {
  Settings settings;
  settings.id = 1;
  settings.bind = "10.0.2.15/24";
  settings.address = "127.0.10.1:9000";
  settings.port = 9000;
  settings.status_interval_ms = 1000;
  settings.payload_max = payload_max;
  return settings;
}

class TestGuest {
 public:
  explicit TestGuest(size_t payload_max = 64 << 10, size_t heap_bytes = 4 << 20, const Service& tested = service)
      : settings(test_settings(payload_max)), memory(heap_bytes) {
    heap.open(memory.data(), memory.size());
    if (!MemoryBudget::suffices(heap.free_bytes(), settings)) throw std::invalid_argument("a guest with such a heap would not start");
    server = std::make_unique<Server>(platform, settings, tested, heap);
    server->start();
  }

  /// A new client.
  struct Client {
    TestStream stream;
    Connection* connection = nullptr;
    size_t poured_bytes = 0;
  };

  Client& connect() {
    Client& client = *clients.emplace_back(std::make_unique<Client>());
    client.connection = &server->accept(client.stream);
    return client;
  }

  void send(Client& client, std::string_view bytes) { client.connection->received(bytes); }

  /// Sends what the guest's window has room for, takes it off `bytes`, and returns whether anything is left.
  bool pour(Client& client, std::string& bytes) {
    const size_t room = kWindowMax - (client.poured_bytes - client.stream.consumed_bytes);
    const std::string part = bytes.substr(0, room);
    bytes.erase(0, part.size());
    client.poured_bytes += part.size();
    send(client, part);
    return !bytes.empty();
  }

  /// As an adapter's main loop does, until nothing is left to do.
  void run() {
    do {
      server->work();
      server->move();
    } while (server->busy());
  }

  std::vector<Frame> exchange(Client& client, std::string_view bytes) {
    send(client, bytes);
    run();
    return client.stream.take_frames();
  }

  /// What a client still gets that sends this and then closes its half.
  std::vector<Frame> last_exchange(Client& client, std::string_view bytes) {
    send(client, bytes);
    client.connection->peer_finished();
    run();
    return client.stream.take_frames();
  }

  Settings settings;
  TestPlatform platform;
  std::vector<char> memory;
  Heap heap;
  std::unique_ptr<Server> server;
  std::vector<std::unique_ptr<Client>> clients;
};

}  // namespace shoal::test
