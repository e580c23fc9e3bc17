// What happens when there is less memory than is asked for: requests wait, are told 503 or 413, and nothing breaks.
#include "check.h"
#include "http_client.h"

namespace shoal::test {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr size_t kTextMax = 100'000;
const std::string kText(kTextMax, 'a');

/// Room for one largest request over HTTP, one on a link, and their reply.
TestGuest small_guest() { return TestGuest(kTextMax, 1'900'000); }

/// A request of which the last byte is missing.
std::string all_but_one(std::string request) {
  request.pop_back();
  return request;
}

/// A client that sends as its window allows.
struct Sender {
  TestGuest::Client* client;
  std::string bytes;
};

void pour_all(TestGuest& guest, std::vector<Sender>& senders) {
  for (int round = 0; round < 20; round++) {
    for (Sender& sender : senders) guest.pour(*sender.client, sender.bytes);
    guest.run();
  }
}

void pass(TestGuest& guest, uint64_t duration_ns) {
  guest.platform.clock_ns += duration_ns;
  guest.run();
}

std::string different_words(size_t bytes) {
  std::string words;
  for (int i = 0; words.size() < bytes; i++) words += std::to_string(i) + " ";
  return words.substr(0, bytes);
}

/// Letters, digits and signs in words so short that there are as many different ones as can be.
std::string most_words(size_t bytes) {
  std::string words;
  for (size_t i = 0; words.size() < bytes; i++) {
    for (size_t rest = i + 1; rest > 0; rest /= 90) words += static_cast<char>('!' + rest % 90);
    words += ' ';
  }
  return words.substr(0, bytes);
}

}  // namespace

TEST("memory: clients that never finish their large requests do not keep a link from its own") {
  for (const bool chunks : {false, true}) {
    TestGuest guest(kTextMax, 4 << 20);
    const size_t used = guest.heap.used_bytes();
    std::vector<Sender> slow;
    const std::string bytes = all_but_one(chunks ? post_chunks("/", "186A0\r\n" + kText + "\r\n") : post("/", kText));
    for (size_t i = 0; i < kHttpConnectionMax; i++) slow.push_back({&guest.connect(), bytes});
    pour_all(guest, slow);
    CHECK(guest.heap.used_bytes() < used + (4 << 20) / 2);
    auto& link = guest.connect();
    for (uint64_t id = 0; id < 20; id++) CHECK(guest.exchange(link, request(id, "", kText))[0].payload == std::string(kTextMax, 'A'));
    // What found no memory is told so; what has it may take its time.
    pass(guest, 2 * kSecondNs);
    size_t busy = 0;
    for (const Sender& sender : slow) busy += status_of(sender.client->stream.output) == "503" ? 1 : 0;
    CHECK(busy > 0 && busy < slow.size());
    guest.send(*slow[0].client, chunks ? "\n0\r\n\r\n" : "a");
    guest.run();
    CHECK(body_of(slow[0].client->stream.output) == std::string(kTextMax, 'A'));
    for (const Sender& sender : slow) sender.client->connection->broken();
    CHECK(guest.heap.used_bytes() < used + 2 * sizeof(Piece) + 200);
  }
}

TEST("memory: a request waits for it a second, then it and those behind it are told busy, until there is some again") {
  for (const bool is_http : {false, true}) {
    TestGuest guest = small_guest();
    auto& holder = guest.connect();
    guest.send(holder, all_but_one(is_http ? post("/", kText) : request(1, "", kText)));
    if (!is_http) guest.send(guest.connect(), all_but_one(request(1, "", kText)));
    auto& client = guest.connect();
    std::vector<Sender> waiting{{&client, is_http ? post("/", kText) : request(7, "", kText, "token") + request(8, "", kText)}};
    pour_all(guest, waiting);
    CHECK_EQUAL(client.stream.output, std::string());
    CHECK(!waiting[0].bytes.empty());
    CHECK(guest.server->due_ns() < guest.platform.clock_ns + 2 * kSecondNs);
    pass(guest, 2 * kSecondNs);
    pour_all(guest, waiting);
    if (is_http) {
      CHECK_EQUAL(status_of(client.stream.output), std::string("503"));
      CHECK(client.stream.output.ends_with("\r\nRetry-After: 1\r\n\r\nbusy\n"));
      client.stream.output.clear();
      CHECK_EQUAL(body_of(talk(guest, client, post("/", kText))), std::string("busy\n"));
    } else {
      const auto told = client.stream.take_frames();
      CHECK_EQUAL(told.size(), size_t{2});
      CHECK_EQUAL(told[0].payload + " " + told[0].token, std::string("503 busy token"));
      CHECK_EQUAL(told[0].id, uint64_t{7});
      CHECK_EQUAL(told[1].payload, std::string("503 busy"));
    }
    holder.connection->broken();
    const std::string all(kTextMax, 'A');
    if (is_http) {
      CHECK(talk(guest, client, post("/", kText)) == ok(all));
    } else {
      CHECK(guest.exchange(client, request(9, "", kText))[0].payload == all);
    }
    CHECK(!client.stream.ended());
  }
}

TEST("memory: without any for requests, a link is still opened, pinged, refused and cancelled, and relays") {
  TestGuest guest = small_guest();
  for (int i = 0; i < 2; i++) guest.send(guest.connect(), all_but_one(request(1, "", kText)));
  guest.send(guest.connect(), all_but_one(post("/", kText)));
  auto& link = guest.connect();
  const auto frames = guest.exchange(link, encode(FrameType::ping, 1) + encode(FrameType::ping, 2, "", "t", "there?") +
                                               request(3, "", std::string(kTextMax + 1, 'x'), "t") + encode(FrameType::relay, 4, "", "", "line") +
                                               encode(FrameType::cancel, 5) + encode(FrameType::ping, 6));
  CHECK_EQUAL(frames.size(), size_t{4});
  CHECK_EQUAL(frames[1].payload, std::string("there?"));
  CHECK_EQUAL(frames[2].payload.substr(0, 3), std::string("413"));
  CHECK_EQUAL(frames[3].type, FrameType::pong);
  CHECK(guest.platform.console.find("\nshoal1 relay line\n") != std::string::npos);
}

TEST("memory: freq of as many different words as fit into the largest text has enough in the 16 MiB of a VM") {
  TestGuest guest(1 << 20, 15 << 20);
  const auto frames = guest.exchange(guest.connect(), request(1, "freq", most_words(1 << 20)));
  CHECK_EQUAL(frames[0].payload.substr(0, 2), std::string("[["));
}

TEST("memory: an operation that lacks it is busy beside others; if it would lack it alone as well, its text is too large") {
  const std::string words = different_words(500'000);
  const std::string busy = "503 busy";
  const std::string too_large = "413 the text takes more memory to work on than this guest has";
  struct Case {
    size_t heap_bytes;
    std::string beside_others;
    std::string alone;
  };
  for (const Case& expected : {Case{3'100'000, too_large, too_large}, Case{3'200'000, busy, too_large}, Case{4'400'000, busy, "200"}, Case{24 << 20, "200", "200"}}) {
    for (const bool is_http : {false, true}) {
      TestGuest guest(500'000, expected.heap_bytes);
      auto& client = guest.connect();
      const auto ask = [&] {
        std::string answer;
        if (is_http) {
          const std::string response = talk(guest, client, post("/freq", words));
          answer = status_of(response) + " " + body_of(response);
          if (answer.ends_with("\n")) answer.pop_back();
        } else {
          const auto frame = guest.exchange(client, request(1, "freq", words)).at(0);
          answer = frame.type == FrameType::error ? frame.payload : "200 " + frame.payload;
        }
        return answer.starts_with("200 [[") ? std::string("200") : answer;
      };
      auto& other = guest.connect();
      guest.send(other, all_but_one(request(1, "", words)));
      CHECK_EQUAL(ask(), expected.beside_others);
      other.connection->broken();
      CHECK_EQUAL(ask(), expected.alone);
      CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "", "x"))[0].payload, std::string("X"));
      client.connection->broken();
    }
  }
}

TEST("memory: an operation that lacks it is busy while the head of another request takes some") {
  constexpr Operation kGreedy[] = {{"greedy", [](const Request&, Reply&) {
                                      while (shoal_allocate(1000) != nullptr) {
                                      }
                                      return false;
                                    }}};
  static const Service greedy{kGreedy, true};
  TestGuest guest(kTextMax, 4 << 20, greedy);
  auto& other = guest.connect();
  guest.send(other, "POST /greedy HTTP/1.1\r\n");
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "greedy", kText)).at(0).payload, std::string("503 busy"));
  other.connection->broken();
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "greedy", kText)).at(0).payload.substr(0, 3), std::string("413"));
}

TEST("memory: a request that lies in the midst of memory, where others left it, is busy rather than too large") {
  constexpr Operation kLarge[] = {{"large", [](const Request&, Reply&) { return shoal_allocate(10 << 20) != nullptr; }}};
  static const Service large{kLarge, true};
  const std::string text(1 << 20, 'a');
  TestGuest guest(text.size(), 15 << 20, large);
  std::vector<TestGuest::Client*> before;
  for (int i = 0; i < 5; i++) {
    before.push_back(&guest.connect());
    guest.send(*before[i], all_but_one(request(1, "large", text)));
  }
  auto& client = guest.connect();
  guest.send(client, all_but_one(request(2, "large", text)));
  for (TestGuest::Client* other : before) other->connection->broken();
  CHECK_EQUAL(guest.exchange(client, "a").at(0).payload, std::string("503 busy"));
  CHECK_EQUAL(guest.exchange(client, request(3, "large", text)).at(0).type, FrameType::reply);
}

TEST("memory: what is left of an earlier reply does not lie in the midst of the memory of a later request") {
  static size_t wanted = 0;
  constexpr Operation kLarge[] = {{"large", [](const Request&, Reply&) { return shoal_allocate(wanted) != nullptr; }}};
  static const Service large{kLarge, true};
  const std::string text(1 << 20, 'a');
  const auto gets = [&](TestGuest& guest, size_t bytes) {
    wanted = bytes;
    return guest.exchange(guest.connect(), request(9, "large", text)).at(0).type == FrameType::reply;
  };
  size_t most = 0;
  for (size_t step = 8 << 20; step > 16; step /= 2) {
    TestGuest fresh(text.size(), 15 << 20, large);
    if (gets(fresh, most + step)) most += step;
  }
  for (size_t others = 2; others <= 5; others++) {
    TestGuest guest(text.size(), 15 << 20, large);
    std::vector<TestGuest::Client*> before;
    for (size_t i = 0; i < others; i++) {
      before.push_back(&guest.connect());
      guest.send(*before[i], all_but_one(request(1, "large", text)));
    }
    // Two replies between the last two of them: the second one leaves with the first.
    before[others - 2]->connection->broken();
    before.erase(before.end() - 2);
    wanted = 1;
    guest.exchange(guest.connect(), request(2, "large", "") + request(3, "large", ""));
    for (TestGuest::Client* other : before) other->connection->broken();
    CHECK(gets(guest, most));
  }
}

TEST("memory: an operation that lacks it beside another request is busy, though the other has ended when it gives up") {
  constexpr Operation kPatient[] = {{"patient", [](const Request&, Reply&) {
                                       while (shoal_allocate(1000) != nullptr) {
                                       }
                                       shoal_yield();
                                       return false;
                                     }}};
  static const Service patient{kPatient, true};
  for (const bool beside : {true, false}) {
    TestGuest guest(kTextMax, 4 << 20, patient);
    auto& other = guest.connect();
    if (beside) guest.send(other, all_but_one(request(1, "patient", kText)));
    guest.platform.step_ns = 200'000'000;
    guest.platform.on_receive = [&] { other.connection->broken(); };
    const auto frame = guest.exchange(guest.connect(), request(2, "patient", kText)).at(0);
    CHECK_EQUAL(frame.payload.substr(0, 3), std::string(beside ? "503" : "413"));
  }
}

TEST("memory: what an operation takes leaves room for what comes in meanwhile, and all of it is given back") {
  constexpr Operation kGreedy[] = {{"greedy", [](const Request&, Reply& reply) {
                                      while (shoal_allocate(1000) != nullptr) {
                                      }
                                      while (reply.write("more")) {
                                      }
                                      return shoal_yield();
                                    }}};
  static const Service greedy{kGreedy, true};
  TestGuest guest(kTextMax, 4 << 20, greedy);
  std::vector<TestGuest::Client*> clients;
  for (size_t i = 0; i < kConnectionMax; i++) clients.push_back(&guest.connect());
  const size_t used = guest.heap.used_bytes();
  guest.platform.step_ns = 200'000;
  guest.platform.on_receive = [&] {
    for (TestGuest::Client* client : clients) guest.send(*client, request(2, "greedy", kText, "token").substr(0, kWindowMax));
  };
  const auto first = guest.exchange(*clients[0], request(1, "greedy", ""));
  CHECK_EQUAL(first[0].payload.substr(0, 3), std::string("413"));
  for (TestGuest::Client* client : clients) {
    CHECK(!client->stream.ended());
    client->connection->broken();
  }
  CHECK(guest.heap.used_bytes() < used + 2 * sizeof(Piece) + 200);
}

TEST("memory: replies that nobody reads make others busy, and the link stays") {
  TestGuest guest(kTextMax, 4 << 20);
  auto& deaf = guest.connect();
  auto& link = guest.connect();
  deaf.stream.room = 0;
  std::string busy;
  for (uint64_t id = 0; id < 100 && busy.empty(); id++) {
    guest.send(deaf, request(id, "", std::string(50'000, 'a')));
    guest.send(guest.connect(), "");
    const auto frames = guest.exchange(link, request(id, "", kText));
    if (!frames.empty() && frames[0].payload.size() < 100) busy = frames[0].payload;
    if (frames.empty()) guest.platform.clock_ns += 2 * kSecondNs;
  }
  CHECK(!link.stream.ended());
  deaf.connection->broken();
  guest.run();
  link.stream.take_frames();
  CHECK(guest.exchange(link, request(1, "", kText))[0].payload == std::string(kTextMax, 'A'));
}

}  // namespace shoal::test
