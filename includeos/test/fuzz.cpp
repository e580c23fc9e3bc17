// Random clients, good and bad, against the core:  fuzz [SEED] [ROUNDS]
// Holds: nothing is read or written out of bounds (sanitizers), each good request is answered once, no memory is left behind, and the
// guest serves a well-behaved client afterwards. Prints its seed; the same seed does the same again.
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "shoal/utf8.h"
#include "unit/http_client.h"

namespace shoal::test {
namespace {

constexpr uint64_t kFirstId = 1000;

struct FuzzClient {
  TestGuest::Client* client;
  std::map<uint64_t, int> waiting;  // good requests without an answer
  std::string unsent;
  bool spoke = false;               // whether anything has come of it
  bool garbage = false;             // whether it has sent what is no frame
  bool broken = false;
};

/// Requests whose connection is gone or half closed: their replies may come on a later one, once.
using Orphans = std::map<uint64_t, int>;

/// Any bytes, with their content type; and what a well-behaved client expects.
bool run_bytes(const Request& request, Reply& reply) {
  reply.content_type(request.content_type);
  for (const char byte : request.text) {
    if (!reply.write(byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte)) return false;
  }
  return true;
}

constexpr Operation kBytesOperations[] = {{"upper", run_bytes}, {"count", run_bytes}};
const Service kBytesService = {kBytesOperations, /*idempotent=*/true, Payload::bytes};

class Fuzz {
 public:
  Fuzz(uint64_t seed, const Service& tested) : random_(seed), guest_(4096, 2 << 20, tested), takes_bytes_(tested.payload == Payload::bytes) {
    used_at_start_ = guest_.heap.used_bytes();
  }

  void round() {
    for (int i = 0; i < 400; i++) {
      step();
      if (pick(3) == 0) guest_.run();
    }
    guest_.platform.on_receive = nullptr;
    for (FuzzClient& fuzz_client : clients_) deliver(fuzz_client, SIZE_MAX);
    guest_.run();
    for (FuzzClient& fuzz_client : clients_) settle(fuzz_client);
    clients_.clear();
    guest_.clients.clear();
    orphans_.clear();
    guest_.platform.clock_ns += 120'000'000'000;  // kept replies go
    guest_.run();
    // The piece for the reply in work stays.
    expect(guest_.heap.used_bytes() <= used_at_start_ + sizeof(Piece) + 64, "memory was left behind");
    auto& good = guest_.connect();
    const auto frames = guest_.exchange(good, request(1, "upper", "fine"));
    expect(frames.size() == 1 && frames[0].payload == "FINE", "a good client was not served");
    good.connection->broken();
    guest_.clients.clear();
    guest_.platform.console.clear();
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }

  static void expect(bool so, const char* what) {
    if (so) return;
    std::cerr << "fuzz: " << what << "\n";
    std::abort();
  }

  void step() {
    if (clients_.size() < 8 && pick(4) == 0) {
      clients_.push_back({&guest_.connect(), {}, {}});
      expect(clients_.back().client->connection != nullptr, "no room for a client");
      return;
    }
    if (clients_.empty()) return;
    FuzzClient& fuzz_client = clients_[pick(clients_.size())];
    TestStream& stream = fuzz_client.client->stream;
    switch (pick(12)) {
      case 0: write_garbage(fuzz_client); break;
      case 1: stream.room = pick(5000); break;
      case 2: stream.room = SIZE_MAX; break;
      case 3:
        if (pick(10) == 0) end(fuzz_client);
        break;
      case 4: guest_.platform.clock_ns += pick(2'000'000'000); break;
      case 5: guest_.platform.on_receive = [this, &fuzz_client] { deliver(fuzz_client, 1 + pick(3000)); }; break;
      default: write_frame(fuzz_client); break;
    }
    deliver(fuzz_client, pick(4) == 0 ? SIZE_MAX : pick(2000));
    read(fuzz_client);
  }

  void write_frame(FuzzClient& fuzz_client) {
    static const char* const kOperations[] = {"upper", "lower", "reverse", "count", "freq", "sha256", "spin", "", "nope"};
    const std::string operation = kOperations[pick(9)];
    std::string text;
    const size_t size = pick(5) == 0 ? pick(9000) : pick(100);
    while (text.size() < size) {
      char bytes[4];
      const uint32_t code_point = pick(3) == 0 ? static_cast<uint32_t>(pick(0xd800)) : static_cast<uint32_t>(pick(128));
      text += pick(200) == 0 ? std::string("\xff") : std::string(bytes, put_code_point(code_point, bytes));
    }
    if (operation == "spin") text = std::to_string(pick(20));
    switch (pick(10)) {
      case 0: fuzz_client.unsent += encode(FrameType::ping, pick(100), "", "", text); break;
      case 1: fuzz_client.unsent += encode(FrameType::cancel, pick(2) ? next_id_ : pick(1000), "", "", text); break;
      case 2: fuzz_client.unsent += encode(FrameType::relay, 0, operation, "", text); break;
      default:
        if (takes_bytes_ && pick(3) != 0) {
          fuzz_client.unsent += encode(FrameType::typed_request, ++next_id_, operation, some_token(), typed(text));
        } else {
          fuzz_client.unsent += request(++next_id_, operation, text, some_token());
        }
        if (!fuzz_client.garbage) fuzz_client.waiting[next_id_] = 1;
    }
  }

  /// With a content type before it: mostly one that is good.
  std::string typed(const std::string& text) {
    const size_t size = pick(8) == 0 ? pick(256) : pick(12);
    std::string bytes(1, static_cast<char>(size));
    while (bytes.size() <= size) bytes.push_back(pick(100) == 0 ? static_cast<char>(random_()) : static_cast<char>('a' + pick(26)));
    if (pick(20) == 0) bytes.resize(pick(bytes.size() + 1));
    return bytes + text;
  }

  /// None, a new one, or one that was used a moment ago, perhaps by another client.
  std::string some_token() {
    if (pick(4) == 0) return "";
    const uint64_t back = pick(3) == 0 ? pick(6) : 0;
    std::string token = "k" + std::to_string(next_id_ - back);
    return token + std::string(next_id_ % 3 == 0 && back == 0 ? pick(200) : 0, '.');
  }

  void write_garbage(FuzzClient& fuzz_client) {
    if (pick(4) != 0) return;
    std::string bytes(1 + pick(60), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    fuzz_client.unsent += bytes;
    fuzz_client.garbage = true;
  }

  void deliver(FuzzClient& fuzz_client, size_t size) {
    if (fuzz_client.broken || fuzz_client.client->stream.ended()) return;
    const std::string bytes = fuzz_client.unsent.substr(0, size);
    fuzz_client.unsent.erase(0, bytes.size());
    fuzz_client.spoke = fuzz_client.spoke || !bytes.empty();
    guest_.send(*fuzz_client.client, bytes);
  }

  void end(FuzzClient& fuzz_client) {
    if (fuzz_client.broken || fuzz_client.client->stream.ended()) return;
    fuzz_client.broken = true;
    guest_.platform.on_receive = nullptr;
    read(fuzz_client);
    for (const auto& [id, left] : fuzz_client.waiting) orphans_[id] = left;
    if (pick(2) == 0) {
      fuzz_client.client->connection->broken();
    } else {
      fuzz_client.client->connection->peer_finished();
    }
  }

  void read(FuzzClient& fuzz_client) {
    for (const Frame& frame : fuzz_client.client->stream.take_frames()) {
      if (frame.id < kFirstId || fuzz_client.garbage) continue;  // not about a request
      if (fuzz_client.waiting.count(frame.id) == 0) {
        expect(!frame.token.empty() && orphans_[frame.id]-- == 1, "a reply came on a connection that had no right to it");
        continue;
      }
      expect(fuzz_client.waiting[frame.id]-- == 1, "a request was answered twice, or one that nobody sent");
    }
  }

  void settle(FuzzClient& fuzz_client) {
    TestStream& stream = fuzz_client.client->stream;
    for (int i = 0; i < 50; i++) {
      stream.room = SIZE_MAX;
      guest_.run();
    }
    read(fuzz_client);
    // One that had said nothing for a minute was closed.
    if (!fuzz_client.broken && !fuzz_client.garbage && !stream.aborted && fuzz_client.spoke) {
      for (const auto& [id, left] : fuzz_client.waiting) expect(left == 0, "a request was not answered");
    }
    if (!fuzz_client.broken && !stream.ended()) fuzz_client.client->connection->broken();
    fuzz_client.broken = true;
  }

  std::mt19937_64 random_;
  TestGuest guest_;
  std::deque<FuzzClient> clients_;
  Orphans orphans_;
  const bool takes_bytes_;
  uint64_t next_id_ = kFirstId;
  size_t used_at_start_ = 0;
};

/// Clients that speak HTTP, some of them damaged: the others get exactly their answers, in order.
class HttpFuzz {
 public:
  explicit HttpFuzz(uint64_t seed) : random_(seed), guest_(4096, 2 << 20) { used_at_start_ = guest_.heap.used_bytes(); }

  void round() {
    for (int i = 0; i < 20; i++) talk();
    guest_.clients.clear();
    if (guest_.heap.used_bytes() <= used_at_start_ + sizeof(Piece) + 64) return;
    std::cerr << "fuzz: HTTP left memory behind\n";
    std::abort();
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }

  static std::string response(std::string_view status, std::string_view text) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
           std::to_string(text.size()) + "\r\n\r\n" + std::string(text);
  }

  std::string text() {
    std::string text(pick(4) == 0 ? pick(4097) : pick(50), '\0');
    for (char& c : text) c = static_cast<char>('a' + pick(26));
    return text;
  }

  void add_request(std::string& input, std::string& output) {
    static const char* const kFields[] = {"", "Host: here\r\n", "X-Long: %\r\n", "connection: keep-alive\r\n", "Accept: */*\r\nA:\r\n"};
    std::string fields = kFields[pick(5)];
    if (const size_t at = fields.find('%'); at != std::string::npos) fields.replace(at, 1, std::string(pick(3000), 'v'));
    const std::string body = text();
    const bool in_chunks = pick(3) == 0;
    const std::string rest = in_chunks ? "Transfer-Encoding: chunked\r\n\r\n" + some_chunks(body)
                                       : "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    std::string upper = body;
    for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
    switch (pick(7)) {
      case 0:
        input += "GET /none HTTP/1.1\r\n" + fields + "\r\n";
        output += response("404 Not Found", "unknown operation \"none\"\n");
        break;
      case 1:
        input += "POST /none HTTP/1.1\r\n" + fields + rest;
        output += response("404 Not Found", "unknown operation \"none\"\n");
        break;
      case 2:
        input += "\r\nPOST /spin?quick HTTP/1.1\r\n" + fields + "Content-Length: 1\r\n\r\n2";
        output += response("200 OK", "spun 2");
        break;
      case 3:
        input += post_chunks("/", some_chunks(std::string(4097 + pick(9000), 'x')), fields);
        output += response("413 Content Too Large", "the text is longer than 4096 bytes\n");
        break;
      default:
        input += "POST / HTTP/1.1\r\n" + fields + rest;
        output += response("200 OK", upper);
    }
  }

  std::string some_chunks(std::string_view body) {
    const std::string extension = pick(3) == 0 ? ";e=" + std::string(pick(200), 'e') : "";
    const std::string trailers = pick(3) == 0 ? "T: " + std::string(pick(300), 't') + "\r\n" : "";
    return chunked(body, 1 + pick(2000), extension, trailers);
  }

  /// Whether anything was changed.
  bool damage(std::string& input) {
    if (pick(2) == 0) return false;
    for (uint64_t changes = 1 + pick(6); changes > 0; changes--) {
      const size_t at = pick(input.size());
      static const std::string_view kBits[] = {"\r\n", " ", ":", "\r\n\r\n", "HTTP/1.1", "Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n",
                                               "Expect: 100-continue\r\n", "99999999999999999999", "/", "Connection: close\r\n", "HEAD", "0\r\n\r\n", "7\r\n"};
      switch (pick(4)) {
        case 0: input[at] = static_cast<char>(random_()); break;
        case 1: input.erase(at, 1 + pick(9)); break;
        case 2: input.insert(at, kBits[pick(14)]); break;
        default: input.insert(at, std::string(pick(5000), static_cast<char>(random_()))); break;
      }
      if (input.empty()) input = "x";
    }
    return true;
  }

  void talk() {
    std::string input;
    std::string output;
    for (uint64_t i = 1 + pick(6); i > 0; i--) add_request(input, output);
    if (input.starts_with("\r\n")) input.erase(0, 2);  // the very first bytes tell HTTP from frames
    const bool damaged = damage(input);
    auto& client = guest_.connect();
    const size_t step = 1 + pick(pick(2) == 0 ? 8 : 3000);
    for (size_t at = 0; at < input.size() && !client.stream.ended(); at += step) {
      if (pick(4) == 0) client.stream.room = pick(300);
      guest_.send(client, std::string_view(input).substr(at, step));
      if (pick(3) == 0) guest_.run();
    }
    const bool half_closed = pick(3) == 0;
    if (half_closed && !client.stream.ended()) client.connection->peer_finished();
    for (int i = 0; i < 12; i++) {
      client.stream.room = SIZE_MAX;
      guest_.run();
    }
    if (!damaged && (client.stream.output != output || client.stream.aborted || client.stream.finished != half_closed)) {
      std::cerr << "fuzz: an HTTP client got something else\n" << client.stream.output << "\nand not\n" << output << "\n";
      std::abort();
    }
    guest_.platform.clock_ns += 62'000'000'000;
    guest_.run();
    guest_.platform.clock_ns += 62'000'000'000;
    guest_.run();
    if (!client.stream.ended() && !client.stream.output.empty() && client.stream.output.starts_with("HTTP/")) {
      std::cerr << "fuzz: an idle HTTP connection stays\n";
      std::abort();
    }
    if (!client.stream.ended()) client.connection->broken();
  }

  std::mt19937_64 random_;
  TestGuest guest_;
  size_t used_at_start_ = 0;
};

}  // namespace
}  // namespace shoal::test

int main(int argc, char** argv) {
  const uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : std::random_device()();
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 50;
  std::cout << "fuzz: seed " << seed << ", " << rounds << " rounds" << std::endl;
  shoal::test::Fuzz fuzz(seed, shoal::service);
  shoal::test::Fuzz bytes_fuzz(seed, shoal::test::kBytesService);
  shoal::test::HttpFuzz http_fuzz(seed);
  for (int i = 0; i < rounds; i++) {
    fuzz.round();
    bytes_fuzz.round();
    http_fuzz.round();
  }
  std::cout << "fuzz: nothing found\n";
}
