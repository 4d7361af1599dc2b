#include "probe/watch.hpp"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/netns.hpp"

namespace topo::probe {
namespace {

constexpr int buffer_bytes = 32 << 20;

int number_of(Protocol protocol, Family family) {
  if (protocol == Protocol::tcp) return IPPROTO_TCP;
  if (protocol == Protocol::udp) return IPPROTO_UDP;
  return family == Family::v4 ? IPPROTO_ICMP : static_cast<int>(IPPROTO_ICMPV6);
}

}  // namespace

Result<Watch> Watch::begin(int gateway, int home) {
  Watch watch;
  if (auto opened = watch.open(); !opened) return opened.error();
  if (gateway < 0) return watch;
  const auto inside = kernel::Inside::enter(gateway, home);
  if (!inside) return inside.error();
  if (auto opened = watch.open(); !opened) return opened.error();
  return watch;
}

Result<void> Watch::open() {
  kernel::FileDescriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)));
  if (!socket) return Error{Exit::unsupported, "cannot watch packets", {}, std::strerror(errno), "run topo as root", {}};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
  sockets_.push_back(std::move(socket));
  return {};
}

void Watch::read() {
  for (const auto& socket : sockets_) read(socket.get());
}

void Watch::read(int fd) {
  for (;;) {
    std::array<unsigned char, 128> packet{};
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const ssize_t length = ::recvfrom(fd, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (length < 0) return;
    const int kind = ntohs(from.sll_protocol);
    if (kind != ETH_P_IP && kind != ETH_P_IPV6) continue;
    note(packet.data(), static_cast<std::size_t>(length), kind == ETH_P_IP, from.sll_pkttype == PACKET_OUTGOING);
  }
}

void Watch::note(const unsigned char* packet, std::size_t length, bool is_v4, bool leaves) {
  const std::size_t header = is_v4 ? std::size_t{4} * (packet[0] & 0x0fU) : 40;
  if (length < header + 4) return;
  const Family family = is_v4 ? Family::v4 : Family::v6;
  const int protocol = packet[is_v4 ? 9 : 6];
  const IpAddress source = IpAddress::from_bytes(family, packet + (is_v4 ? 12 : 8)),
                  destination = IpAddress::from_bytes(family, packet + (is_v4 ? 16 : 24));
  const bool has_ports = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
  // Of icmp the type, so that an answer is not taken for a question.
  const int number = has_ports ? packet[header + 2] << 8 | packet[header + 3] : packet[header];
  (leaves ? went_ : came_).emplace(source, destination, protocol, number);
}

bool Watch::has(const Seen& seen, const Probe& probe, const IpAddress& destination, std::uint16_t port) {
  const int protocol = number_of(probe.protocol, destination.family());
  const int echo = destination.family() == Family::v4 ? int{ICMP_ECHO} : int{ICMPV6_ECHO_REQUEST};
  const int number = probe.protocol == Protocol::icmp ? echo : port;
  if (!probe.source.is_unspecified()) return seen.contains({probe.source, destination, protocol, number});
  return std::any_of(seen.begin(), seen.end(), [&](const auto& each) {
    return std::get<1>(each) == destination && std::get<2>(each) == protocol && std::get<3>(each) == number;
  });
}

bool Watch::came(const Probe& probe) const { return has(came_, probe, probe.destination, probe.port); }
bool Watch::went(const Probe& probe) const { return has(went_, probe, probe.at, probe.listen_port); }

}  // namespace topo::probe
