#include "network.h"

#include <cstring>

#include "clock.h"
#include "network_timers.h"
#include "panic.h"
#include "shim.h"
#include "tcp_stream.h"

extern "C" {
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "netif/ethernet.h"
}

namespace shoal::builtin {
namespace {

constexpr uint16_t kMtu = 1500;
constexpr uint64_t kRingWaitNs = 20'000'000;

/// A received packet in place: lwIP works in the card's buffer and gives it back with the pbuf.
struct ReceivedPacket {
  pbuf_custom pbuf;  // first, since lwIP hands back a pointer to it
  uint16_t buffer;
};

VirtioNet* card = nullptr;
netif interface = {};
ReceivedPacket received_packets[VirtioNet::kReceiveBuffers];

void give_back(pbuf* packet) { card->recycle(reinterpret_cast<ReceivedPacket*>(packet)->buffer); }

void reclaim_sent() {
  while (void* const packet = card->take_sent()) pbuf_free(static_cast<pbuf*>(packet));
}

/// Room in the ring for one more packet. The card works beside us, so a full ring empties within microseconds.
bool send_packet(char* bytes, size_t size, pbuf* packet) {
  if (card->send(bytes, size, packet)) return true;
  const uint64_t end_ns = clock_ns() + kRingWaitNs;
  do {
    card->publish();
    reclaim_sent();
    if (card->send(bytes, size, packet)) return true;
  } while (clock_ns() < end_ns);
  return false;
}

err_t send_frame(netif*, pbuf* packet) {
  if (packet->next != nullptr || pbuf_add_header(packet, VirtioNet::kHeaderSize) != 0) {
    // A ping's answer, say, which lwIP makes of the question in the card's buffer.
    pbuf* const copy = pbuf_clone(PBUF_RAW_TX, PBUF_RAM, packet);
    if (copy == nullptr) return ERR_MEM;
    pbuf_add_header(copy, VirtioNet::kHeaderSize);
    if (send_packet(static_cast<char*>(copy->payload), copy->len, copy)) return ERR_OK;
    pbuf_free(copy);
    return ERR_IF;
  }
  pbuf_ref(packet);
  const bool sent = send_packet(static_cast<char*>(packet->payload), packet->len, packet);
  pbuf_remove_header(packet, VirtioNet::kHeaderSize);
  if (sent) return ERR_OK;
  pbuf_free(packet);
  return ERR_IF;
}

err_t open_interface(netif* opened) {
  opened->name[0] = 's';
  opened->name[1] = 'h';
  opened->mtu = kMtu;
  opened->hwaddr_len = 6;
  std::memcpy(opened->hwaddr, card->hardware_address(), 6);
  opened->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
  opened->output = etharp_output;
  opened->linkoutput = send_frame;
  return ERR_OK;
}

ip4_addr_t address_of(uint32_t wire_order) {
  ip4_addr_t address;
  address.addr = wire_order;
  return address;
}

uint32_t mask_of(unsigned prefix) { return lwip_htonl(~uint32_t{0} << (32 - prefix)); }

}  // namespace

void network_open(VirtioNet& opened_card, const Settings& settings, Server& server) {
  card = &opened_card;
  lwip_init();
  network_timers_open();
  const ip4_addr_t address = address_of(settings.bind_address);
  const ip4_addr_t mask = address_of(mask_of(settings.bind_prefix));
  const ip4_addr_t gateway = address_of(settings.gateway);
  netif_add(&interface, &address, &mask, &gateway, nullptr, open_interface, ethernet_input);
  netif_set_default(&interface);
  netif_set_up(&interface);  // which also tells the neighbours, in case another VM had this address before
  tcp_streams_listen(settings.port, server);
  card->publish();
}

bool network_receive() {
  network_timers_wake();
  VirtioNet::Packet packet{};
  size_t count = 0;
  // At most one ring's worth at a time, so that a flood leaves room for everything else.
  for (; count < VirtioNet::kReceiveBuffers && card->receive(packet); count++) {
    ReceivedPacket& slot = received_packets[packet.buffer];
    slot.buffer = packet.buffer;
    slot.pbuf.custom_free_function = give_back;
    const auto size = static_cast<uint16_t>(packet.size);
    pbuf* const received = pbuf_alloced_custom(PBUF_RAW, size, PBUF_REF, &slot.pbuf, packet.data, size);
    if (interface.input(received, &interface) != ERR_OK) pbuf_free(received);
  }
  reclaim_sent();
  network_timers_run();
  return count > 0;
}

void network_transmit() { card->publish(); }

uint64_t network_due_ns() { return network_timers_due_ns(); }

bool network_may_sleep() {
  if (take_interrupt(VECTOR_LINK)) card->acknowledge_interrupt();
  return card->ask_interrupt();
}

bool network_close() {
  tcp_streams_close();
  for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (pcb->unsent != nullptr || pcb->unacked != nullptr) return false;
  }
  return true;
}

}  // namespace shoal::builtin

/// For TCP's first sequence and port numbers.
extern "C" unsigned shoal_random(void) {
  static uint64_t state = 0;
  state = (state ^ shoal::builtin::read_tsc()) * 0xd6e8feb86659fd93 + 0x9e3779b97f4a7c15;
  return static_cast<unsigned>(state >> 32);
}

/// The Internet checksum, eight bytes at a time, not complemented: what lwIP calls its standard checksum.
extern "C" unsigned short shoal_checksum(const void* data, int size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  auto left = static_cast<size_t>(size);
  uint64_t sum = 0;
  uint64_t carries = 0;
  for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    sum += word;
    carries += sum < word ? 1 : 0;
  }
  uint64_t tail = 0;
  std::memcpy(&tail, bytes, left);
  sum += tail;
  carries += sum < tail ? 1 : 0;
  sum = (sum & 0xffffffff) + (sum >> 32) + carries;
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<unsigned short>(sum);
}
