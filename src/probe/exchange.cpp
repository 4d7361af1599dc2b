#include "probe/exchange.hpp"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <tuple>

#include "kernel/file_descriptor.hpp"
#include "kernel/netns.hpp"

namespace topo::probe {
namespace {

using Clock = std::chrono::steady_clock;
using kernel::FileDescriptor;
using Token = std::array<unsigned char, 16>;

constexpr std::chrono::milliseconds tick{20};
constexpr std::chrono::milliseconds again{300};  // a datagram may be lost while a neighbour is looked for

struct Name {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Name name_of(const IpAddress& address, std::uint16_t port) {
  Name name;
  if (address.family() == Family::v4) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(port);
    std::memcpy(&own.sin_addr, address.bytes().data(), 4);
    std::memcpy(&name.storage, &own, sizeof own);
    name.length = sizeof own;
  } else {
    sockaddr_in6 own{};
    own.sin6_family = AF_INET6;
    own.sin6_port = htons(port);
    std::memcpy(&own.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&name.storage, &own, sizeof own);
    name.length = sizeof own;
  }
  return name;
}

/// A socket of the calling thread's namespace.
FileDescriptor open_socket(Family family, Protocol protocol) {
  const int domain = family == Family::v4 ? AF_INET : AF_INET6;
  const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  if (protocol == Protocol::icmp)
    return FileDescriptor(::socket(domain, SOCK_RAW | flags, family == Family::v4 ? IPPROTO_ICMP : static_cast<int>(IPPROTO_ICMPV6)));
  FileDescriptor fd(::socket(domain, (protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM) | flags, 0));
  const int yes = 1;
  if (fd && family == Family::v6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  return fd;
}

struct Listener {
  FileDescriptor fd;
  Protocol protocol = Protocol::tcp;
  bool is_other = false;  ///< somebody else's program has the port
};

struct Client {
  FileDescriptor fd;
  const Listener* listener = nullptr;
  Answer answer;
  bool done = false;
  std::size_t received = 0;
  Token heard{};
  Clock::time_point sent;
};

class Exchange {
 public:
  Exchange(const std::vector<Probe>& probes, int home_fd, const std::function<bool()>& stop)
      : probes_(probes), home_fd_(home_fd), stop_(stop), clients_(probes.size()) {}

  Result<void> begin() {
    if (::getrandom(token_.data(), token_.size(), 0) != static_cast<ssize_t>(token_.size())) return failed("cannot get random bytes");
    poll_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (!poll_) return failed("cannot wait for packets");
    if (auto listening = in_each([](const Probe& probe) { return probe.to_fd; }, [&](std::size_t i) { return listen(i); }); !listening)
      return listening;
    return in_each([](const Probe& probe) { return probe.from_fd; }, [&](std::size_t i) { return shall_stop() ? Result<void>() : send(i); });
  }

  std::vector<Answer> wait(std::chrono::milliseconds patience) {
    auto end = Clock::now() + patience;
    while (open_ > 0 && Clock::now() < end && !shall_stop()) {
      std::array<epoll_event, 64> events{};
      const int count = ::epoll_wait(poll_.get(), events.data(), events.size(), static_cast<int>(tick.count()));
      for (int i = 0; i < count; ++i) {
        if (handle(events[static_cast<std::size_t>(i)].data.u64)) end = Clock::now() + patience;
      }
      resend();
    }
    std::vector<Answer> answers;
    for (const Client& client : clients_) answers.push_back(client.answer);
    return answers;
  }

 private:
  [[nodiscard]] bool shall_stop() const { return stop_ && stop_(); }
  static Error failed(const std::string& what) { return Error{Exit::rolled_back, what, {}, std::strerror(errno), {}, {}}; }

  /// Each probe's part in the namespace that it belongs to, which is entered once for all of its own.
  template <class Where, class Do>
  Result<void> in_each(Where where, Do act) {
    std::map<int, std::vector<std::size_t>> by_place;
    for (std::size_t i = 0; i < probes_.size(); ++i) by_place[where(probes_[i])].push_back(i);
    for (const auto& [fd, own] : by_place) {
      if (fd < 0) continue;
      const auto inside = kernel::Inside::enter(fd, home_fd_);
      if (!inside) return inside.error();
      for (const std::size_t i : own) {
        if (auto done = act(i); !done) return done;
      }
    }
    return {};
  }

  [[nodiscard]] bool watch(int fd, std::uint32_t events, std::uint64_t key) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    return ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  // Keys: clients by their number, listeners from here on.
  static constexpr std::uint64_t first_listener = std::uint64_t{1} << 32;

  Result<void> listen(std::size_t i) {
    const Probe& probe = probes_[i];
    if (probe.protocol == Protocol::icmp) return {};
    const auto [known, fresh] = by_address_.emplace(std::tuple(probe.to_fd, probe.at, probe.listen_port, probe.protocol), listeners_.size());
    listener_of_.emplace(i, known->second);
    if (!fresh) return {};
    Listener listener{open_socket(probe.at.family(), probe.protocol), probe.protocol, false};
    if (!listener.fd) return failed("cannot make a listener");
    const int yes = 1;
    if (probe.protocol == Protocol::tcp) ::setsockopt(listener.fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const Name name = name_of(probe.at, probe.listen_port);
    const bool bound = ::bind(listener.fd.get(), name.get(), name.length) == 0;
    // An address that is not there: whoever sends to it shall find so.
    if (!bound && errno != EADDRINUSE && errno != EADDRNOTAVAIL) return failed("cannot listen on " + probe.at.to_string());
    listener.is_other = !bound && errno == EADDRINUSE;
    if (bound && probe.protocol == Protocol::tcp && ::listen(listener.fd.get(), 1024) != 0) listener.is_other = errno == EADDRINUSE;
    if (bound && !listener.is_other && !watch(listener.fd.get(), EPOLLIN, first_listener + listeners_.size()))
      return failed("cannot wait for packets");
    if (!bound) listener.fd = FileDescriptor();
    listeners_.push_back(std::move(listener));
    return {};
  }

  Result<void> send(std::size_t i) {
    const Probe& probe = probes_[i];
    Client& client = clients_[i];
    if (const auto own = listener_of_.find(i); own != listener_of_.end()) client.listener = &listeners_[own->second];
    client.answer.by_other = client.listener != nullptr && client.listener->is_other;
    client.fd = open_socket(probe.destination.family(), probe.protocol);
    if (!client.fd) return failed("cannot make a socket");
    ++open_;
    const Name to = name_of(probe.destination, probe.protocol == Protocol::icmp ? std::uint16_t{0} : probe.port);
    if (!probe.source.is_unspecified()) {
      const Name from = name_of(probe.source, 0);
      if (::bind(client.fd.get(), from.get(), from.length) != 0) return end(client, Answer::Kind::unsent, errno);
    }
    if (::connect(client.fd.get(), to.get(), to.length) != 0 && errno != EINPROGRESS) return end(client, Answer::Kind::unsent, errno);
    client.sent = Clock::now();
    const std::uint32_t events = probe.protocol == Protocol::tcp ? EPOLLIN | EPOLLOUT | EPOLLET : EPOLLIN;
    if (!watch(client.fd.get(), events, i)) return failed("cannot wait for packets");
    return probe.protocol == Protocol::tcp ? Result<void>() : send_datagram(i);
  }

  Result<void> send_datagram(std::size_t i) {
    Client& client = clients_[i];
    std::array<unsigned char, 8 + sizeof(Token)> packet{};
    std::size_t length = sizeof(Token);
    if (probes_[i].protocol == Protocol::icmp) {
      packet[0] = probes_[i].destination.family() == Family::v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST;
      length = packet.size();
    }
    unsigned char* const token = packet.data() + (length - sizeof(Token));
    std::memcpy(token, token_.data(), sizeof(Token));
    const auto number = static_cast<std::uint32_t>(i);
    std::memcpy(token, &number, sizeof number);
    if (probes_[i].protocol == Protocol::icmp && packet[0] == ICMP_ECHO) set_checksum(packet);
    if (::send(client.fd.get(), packet.data(), length, MSG_NOSIGNAL) < 0) return end(client, Answer::Kind::unsent, errno);
    return {};
  }

  /// RFC 1071; of ICMPv6 the kernel makes it.
  static void set_checksum(std::array<unsigned char, 8 + sizeof(Token)>& packet) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < packet.size(); i += 2) sum += static_cast<std::uint32_t>(packet[i] << 8 | packet[i + 1]);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    packet[2] = static_cast<unsigned char>(~sum >> 8 & 0xff);
    packet[3] = static_cast<unsigned char>(~sum & 0xff);
  }

  Result<void> end(Client& client, Answer::Kind kind, int number = 0) {
    if (client.done) return {};
    client.done = true;
    client.answer.kind = kind;
    client.answer.number = number;
    if (client.fd) ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, client.fd.get(), nullptr);
    client.fd = FileDescriptor();
    --open_;
    return {};
  }

  void resend() {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      Client& client = clients_[i];
      if (client.done || probes_[i].protocol == Protocol::tcp || Clock::now() - client.sent < again) continue;
      client.sent = Clock::now() + std::chrono::hours(1);
      (void)send_datagram(i);
    }
  }

  /// Whether a probe came to its end.
  bool handle(std::uint64_t key) {
    if (key >= first_listener) {
      serve(listeners_[key - first_listener]);
      return false;
    }
    Client& client = clients_[key];
    if (client.done) return false;
    int problem = 0;
    socklen_t length = sizeof problem;
    ::getsockopt(client.fd.get(), SOL_SOCKET, SO_ERROR, &problem, &length);
    if (problem != 0) {
      (void)end(client, Answer::Kind::refused, problem);
    } else if (probes_[key].protocol == Protocol::tcp) {
      hear_stream(client);
    } else {
      hear_datagram(client, key);
    }
    return client.done;
  }

  void hear_stream(Client& client) {
    if (client.listener == nullptr || client.listener->is_other) return (void)end(client, Answer::Kind::answered);
    for (;;) {
      const ssize_t count = ::recv(client.fd.get(), client.heard.data() + client.received, client.heard.size() - client.received, 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) return (void)(count == 0 ? end(client, Answer::Kind::wrong) : end(client, Answer::Kind::refused, errno));
      client.received += static_cast<std::size_t>(count);
      if (client.received == client.heard.size()) return (void)end(client, client.heard == token_ ? Answer::Kind::answered : Answer::Kind::wrong);
    }
  }

  void hear_datagram(Client& client, std::size_t i) {
    std::array<unsigned char, 256> packet{};
    const ssize_t count = ::recv(client.fd.get(), packet.data(), packet.size(), 0);
    if (count < 0) return (void)(errno == EAGAIN ? Result<void>() : end(client, Answer::Kind::refused, errno));
    if (probes_[i].protocol == Protocol::udp) {
      const bool is_ours = count == static_cast<ssize_t>(sizeof(Token)) && std::memcmp(packet.data(), token_.data(), sizeof(Token)) == 0;
      return (void)end(client, is_ours || client.answer.by_other ? Answer::Kind::answered : Answer::Kind::wrong);
    }
    const bool v4 = probes_[i].destination.family() == Family::v4;
    const std::size_t header = v4 ? std::size_t{4} * (packet[0] & 0x0fU) : 0;
    if (static_cast<std::size_t>(count) < header + 8 + sizeof(Token) || packet[header] != (v4 ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY)) return;
    std::uint32_t number = 0;
    std::memcpy(&number, packet.data() + header + 8, sizeof number);
    const bool is_ours = std::memcmp(packet.data() + header + 12, token_.data() + 4, sizeof(Token) - 4) == 0;
    if (is_ours && number == i) (void)end(client, Answer::Kind::answered);
  }

  void serve(const Listener& listener) {
    if (listener.protocol == Protocol::tcp) {
      for (;;) {
        const FileDescriptor peer(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!peer) return;
        (void)::send(peer.get(), token_.data(), token_.size(), MSG_NOSIGNAL);
      }
    }
    for (;;) {
      std::array<unsigned char, 64> packet{};
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      if (::recvfrom(listener.fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &length) < 0) return;
      (void)::sendto(listener.fd.get(), token_.data(), token_.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&from), length);
    }
  }

  const std::vector<Probe>& probes_;
  int home_fd_;
  const std::function<bool()>& stop_;
  Token token_{};
  FileDescriptor poll_;
  std::vector<Listener> listeners_;
  std::map<std::tuple<int, IpAddress, std::uint16_t, Protocol>, std::size_t> by_address_;
  std::map<std::size_t, std::size_t> listener_of_;
  std::vector<Client> clients_;
  std::size_t open_ = 0;
};

}  // namespace

Result<std::vector<Answer>> exchange(const std::vector<Probe>& probes, int home_fd, std::chrono::milliseconds patience,
                                     const std::function<bool()>& stop) {
  Exchange all(probes, home_fd, stop);
  if (auto begun = all.begin(); !begun) return begun.error();
  return all.wait(patience);
}

int route_problem(int netns_fd, int home_fd, const IpAddress& source, const IpAddress& destination) {
  const auto inside = kernel::Inside::enter(netns_fd, home_fd);
  if (!inside) return EPERM;
  const FileDescriptor fd = open_socket(destination.family(), Protocol::udp);
  if (!fd) return errno;
  const Name from = name_of(source, 0), to = name_of(destination, 9);
  if (!source.is_unspecified() && ::bind(fd.get(), from.get(), from.length) != 0) return errno;
  return ::connect(fd.get(), to.get(), to.length) == 0 ? 0 : errno;
}

}  // namespace topo::probe
