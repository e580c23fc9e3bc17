/* lwIP for one network card, IPv4 and TCP only, in one thread. Sizes: includeos/README.md, "Memory". */
#ifndef SHOAL_LWIPOPTS_H
#define SHOAL_LWIPOPTS_H

#define NO_SYS 1
#define LWIP_TIMERS 0 /* network_timers.cpp has them */
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_STATS 1
#define LWIP_STATS_LARGE 1
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define ICMP_STATS 0
#define TCP_STATS 0
#define MEMP_STATS 0
#define SYS_STATS 0

#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_UDP 0
#define LWIP_TCP 1
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_SINGLE_NETIF 1
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define IP_FORWARD 0
#define ARP_QUEUEING 1
#define LWIP_CHKSUM_ALGORITHM 2

/* Packets that go out lie in one piece each, with room in front for the header of virtio-net. */
#define MEM_ALIGNMENT 8
#define MEM_SIZE (512 * 1024)
#define PBUF_LINK_ENCAPSULATION_HLEN 12
#define LWIP_NETIF_TX_SINGLE_PBUF 1
#define PBUF_POOL_SIZE 4
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define MEMP_NUM_PBUF 64

#define TCP_MSS 1460
#define TCP_WND (22 * TCP_MSS)
#define TCP_SND_BUF (22 * TCP_MSS)
#define TCP_SND_QUEUELEN 96
#define MEMP_NUM_TCP_SEG 1024
#define MEMP_NUM_TCP_PCB 80
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define TCP_LISTEN_BACKLOG 1
#define TCP_DEFAULT_LISTEN_BACKLOG 32
/* The pool of pbufs is not used: received packets lie in the card's own buffers, which must come back: nothing that came too early is kept. */
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1
#define TCP_QUEUE_OOSEQ 0
#define LWIP_TCP_KEEPALIVE 1

#endif
