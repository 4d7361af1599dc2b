// The floor: the workload of workload.py with no more messages than the kernel must have, by bare netlink and one libiptc commit a table.
// usage: topo_floor create|read|destroy MODEL, topo_floor change MODEL CHANGED-MODEL; only on the private host of tests/host/sandbox.

// libc's headers first: linux/libc-compat.h decides once who defines struct ifreq.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
// then the kernel's
#include <libiptc/libiptc.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
// and the system calls
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint32_t group = 77;         // of every interface in the host, so that one message removes them all
constexpr int first_bridge_index = 900000;  // chosen here, so that nothing has to be looked up
constexpr int cable_index = 2;              // of the first interface of a fresh namespace behind lo
constexpr std::uint8_t prefix = 24;
const std::string netns_folder = "/run/netns/";

[[noreturn]] void die(const std::string& what, int error = errno) {
  std::cerr << "topo_floor: " << what << ": " << std::strerror(error) << "\n";
  std::_Exit(1);
}

int must(int result, const std::string& what) {
  if (result < 0) die(what);
  return result;
}

// --- the model ---

in_addr parse(const std::string& address) {
  in_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1) die(address, EINVAL);
  return parsed;
}

struct Bridge {
  std::string name;
  in_addr gateway{};
};

struct Namespace {
  std::string name, veth;
  int bridge = 0;
  in_addr address{}, gateway{};
  std::uint16_t port = 0;
  int file = -1;    // of the namespace
  int socket = -1;  // opened inside it
};

struct Model {
  std::vector<Bridge> bridges;
  std::vector<Namespace> namespaces;
};

Model read_model(const char* path) {
  std::ifstream in(path);
  std::size_t bridges = 0, namespaces = 0;
  if (!(in >> bridges >> namespaces)) die(path, EINVAL);
  Model model{std::vector<Bridge>(bridges), std::vector<Namespace>(namespaces)};
  std::string address, gateway;
  for (auto& bridge : model.bridges) {
    in >> bridge.name >> gateway;
    bridge.gateway = parse(gateway);
  }
  for (auto& ns : model.namespaces) {
    in >> ns.name >> ns.veth >> ns.bridge >> address >> gateway >> ns.port;
    ns.address = parse(address);
    ns.gateway = parse(gateway);
  }
  if (!in) die(path, EINVAL);
  return model;
}

// --- netlink ---

int open_netlink() {
  const int socket_file = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket");
  const int strict = 1, size = 8 << 20;
  setsockopt(socket_file, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof strict);
  setsockopt(socket_file, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  return socket_file;
}

/// Messages that leave together.
class Batch {
 public:
  template <class Header>
  void begin(std::uint16_t type, int flags, const Header& header) {
    finish();
    message_ = bytes_.size();
    nlmsghdr head{};
    head.nlmsg_type = type;
    head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    append(&head, sizeof head);
    append(&header, sizeof header);
  }

  void put(int type, const void* content, std::size_t size) {
    const rtattr head{static_cast<std::uint16_t>(RTA_LENGTH(size)), static_cast<std::uint16_t>(type)};
    append(&head, sizeof head);
    append(content, size);
  }
  template <class T>
  void put(int type, const T& value) {
    put(type, &value, sizeof value);
  }
  void put(int type, const std::string& text) { put(type, text.c_str(), text.size() + 1); }

  /// Attributes inside another.
  template <class Fill>
  void nest(int type, Fill fill) {
    const std::size_t start = bytes_.size();
    put(type | NLA_F_NESTED, nullptr, 0);
    fill();
    const auto size = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start, &size, sizeof size);
  }
  /// The structure in front of them, where the kernel wants one.
  template <class T>
  void put_plain(const T& header) {
    append(&header, sizeof header);
  }

  /// For requests that are answered.
  void ask(int socket_file) {
    finish();
    must(static_cast<int>(send(socket_file, bytes_.data(), bytes_.size(), 0)), "send");
    bytes_.clear();
  }

  /// For those that are only answered where they fail, which is before send returns.
  void send_to(int socket_file) {
    if (bytes_.empty()) return;
    ask(socket_file);
    alignas(nlmsghdr) char answer[8192];
    if (recv(socket_file, answer, sizeof answer, MSG_DONTWAIT) <= 0) return;
    const auto* head = reinterpret_cast<const nlmsghdr*>(answer);
    if (head->nlmsg_type == NLMSG_ERROR) die("netlink", -static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error);
  }

  void send_if_long(int socket_file) {
    if (bytes_.size() > 256U << 10U) send_to(socket_file);
  }

 private:
  void append(const void* content, std::size_t size) {
    if (size > 0) bytes_.append(static_cast<const char*>(content), size);
    bytes_.append(NLMSG_ALIGN(size) - size, '\0');
  }
  void finish() {
    if (bytes_.empty()) return;
    const auto size = static_cast<std::uint32_t>(bytes_.size() - message_);
    std::memcpy(bytes_.data() + message_, &size, sizeof size);
  }

  std::string bytes_;
  std::size_t message_ = 0;
};

ifinfomsg interface(int index, unsigned flags = 0) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_flags = header.ifi_change = flags;
  return header;
}

void put_address(Batch& batch, int type, int index, in_addr address) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = prefix;
  header.ifa_index = static_cast<unsigned>(index);
  batch.begin(static_cast<std::uint16_t>(type), type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0, header);
  batch.put(IFA_LOCAL, address);
  batch.put(IFA_ADDRESS, address);
}

void put_default_route(Batch& batch, in_addr gateway) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = RTN_UNICAST;
  batch.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, header);
  batch.put(RTA_GATEWAY, gateway);
  batch.put(RTA_OIF, cable_index);
}

// --- the firewall ---

/// struct xt_entry_match or xt_entry_target, which are laid out alike, with its content.
template <class T>
std::string extension(std::string_view name, std::uint8_t revision, const T& content) {
  const std::size_t size = sizeof(xt_entry_match) + (sizeof content + 7) / 8 * 8;
  xt_entry_match head{};
  head.u.user.match_size = static_cast<std::uint16_t>(size);
  name.copy(head.u.user.name, sizeof head.u.user.name - 1);
  head.u.user.revision = revision;
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(&content), sizeof content);
  bytes.resize(size);
  return bytes;
}

std::string tcp_port(std::uint16_t port) {
  xt_tcp match{};
  match.spts[1] = 0xffff;
  match.dpts[0] = match.dpts[1] = port;
  return extension("tcp", 0, match);
}

class Table {
 public:
  explicit Table(const char* name) : handle_(iptc_init(name)) {
    if (handle_ == nullptr) die(name);
  }
  ~Table() { iptc_free(handle_); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void flush(const char* chain) {
    if (iptc_flush_entries(chain, handle_) == 0) die(chain);
  }
  void append(const char* chain, const ipt_ip& ip, const std::string& matches, const std::string& target) {
    ipt_entry entry{};
    entry.ip = ip;
    entry.target_offset = static_cast<std::uint16_t>(sizeof entry + matches.size());
    entry.next_offset = static_cast<std::uint16_t>(entry.target_offset + target.size());
    const std::string bytes = std::string(reinterpret_cast<const char*>(&entry), sizeof entry) + matches + target;
    if (iptc_append_entry(chain, reinterpret_cast<const ipt_entry*>(bytes.data()), handle_) == 0) die(chain);
  }
  void commit() {
    if (iptc_commit(handle_) == 0) die("commit");
  }

 private:
  xtc_handle* handle_;
};

void replace_filter(const Model& model) {
  Table table("filter");
  table.flush("FORWARD");
  for (const auto& ns : model.namespaces) {
    ipt_ip ip{};
    ip.dst = ns.address;
    ip.dmsk.s_addr = ~0U;
    ip.proto = IPPROTO_TCP;
    table.append("FORWARD", ip, tcp_port(80), extension("ACCEPT", 0, int{0}));
  }
  table.commit();
}

void replace_nat(const Model& model) {
  Table table("nat");
  table.flush("PREROUTING");
  table.flush("POSTROUTING");
  for (const auto& ns : model.namespaces) {
    ipt_ip ip{};
    ip.proto = IPPROTO_TCP;
    nf_nat_range2 range{};
    range.flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
    range.min_addr.in = range.max_addr.in = ns.address;
    range.min_proto.tcp.port = range.max_proto.tcp.port = htons(80);
    table.append("PREROUTING", ip, tcp_port(ns.port), extension("DNAT", 2, range));
  }
  for (const auto& bridge : model.bridges) {
    ipt_ip ip{};
    ip.smsk.s_addr = htonl(~0U << (32U - prefix));
    ip.src.s_addr = bridge.gateway.s_addr & ip.smsk.s_addr;
    bridge.name.copy(ip.outiface, IFNAMSIZ - 1);
    std::memset(ip.outiface_mask, 0xff, bridge.name.size() + 1);
    ip.invflags = IPT_INV_VIA_OUT;
    nf_nat_ipv4_multi_range_compat range{};
    range.rangesize = 1;
    table.append("POSTROUTING", ip, {}, extension("MASQUERADE", 0, range));
  }
  table.commit();
}

// --- create ---

void add_bridges(const Model& model, int host) {
  Batch batch;
  int index = first_bridge_index;
  for (const auto& bridge : model.bridges) {
    batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, interface(index, IFF_UP));
    batch.put(IFLA_IFNAME, bridge.name);
    batch.put(IFLA_GROUP, group);
    batch.nest(IFLA_LINKINFO, [&] { batch.put(IFLA_INFO_KIND, std::string("bridge")); });
    put_address(batch, RTM_NEWADDR, index++, bridge.gateway);
  }
  batch.send_to(host);
}

void add_namespace(Namespace& ns) {
  must(unshare(CLONE_NEWNET), "unshare");
  ns.file = must(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "namespace");
  ns.socket = open_netlink();
  const std::string path = netns_folder + ns.name;
  close(must(open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0), path));
  must(mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr), path);
}

void put_cable(Batch& batch, const Namespace& ns) {
  const std::uint32_t queues = 1;
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, interface(0, IFF_UP));
  batch.put(IFLA_IFNAME, ns.veth);
  batch.put(IFLA_MASTER, first_bridge_index + ns.bridge);
  batch.put(IFLA_GROUP, group);
  batch.put(IFLA_NUM_TX_QUEUES, queues);
  batch.put(IFLA_NUM_RX_QUEUES, queues);
  batch.nest(IFLA_LINKINFO, [&] {
    batch.put(IFLA_INFO_KIND, std::string("veth"));
    batch.nest(IFLA_INFO_DATA, [&] {
      batch.nest(VETH_INFO_PEER, [&] {
        batch.put_plain(interface(0));
        batch.put(IFLA_IFNAME, std::string("eth0"));
        batch.put(IFLA_NET_NS_FD, ns.file);
        batch.put(IFLA_NUM_TX_QUEUES, queues);
        batch.put(IFLA_NUM_RX_QUEUES, queues);
      });
    });
  });
}

void put_inside(Batch& batch, const Namespace& ns) {
  batch.begin(RTM_NEWLINK, 0, interface(1, IFF_UP));
  batch.begin(RTM_NEWLINK, 0, interface(cable_index, IFF_UP));
  batch.nest(IFLA_AF_SPEC, [&] { batch.nest(AF_INET6, [&] { batch.put(IFLA_INET6_ADDR_GEN_MODE, std::uint8_t{IN6_ADDR_GEN_MODE_NONE}); }); });
  put_address(batch, RTM_NEWADDR, cable_index, ns.address);
  put_default_route(batch, ns.gateway);
}

/// In phases, each over all namespaces: several times faster than one namespace after another where IPv6 is not silent.
void create(Model& model, int host_file, int host) {
  add_bridges(model, host);
  for (auto& ns : model.namespaces) add_namespace(ns);
  must(setns(host_file, CLONE_NEWNET), "setns");
  Batch batch;
  for (const auto& ns : model.namespaces) {
    put_cable(batch, ns);
    batch.send_if_long(host);
  }
  batch.send_to(host);
  for (const auto& ns : model.namespaces) {
    put_inside(batch, ns);
    batch.send_to(ns.socket);
  }
  replace_filter(model);
  replace_nat(model);
}

// --- read ---

template <class Header>
std::size_t dump(int socket_file, std::uint16_t type, const Header& header, int attribute = 0, std::uint32_t value = 0) {
  static std::vector<char> answer(256U << 10U);
  Batch request;
  request.begin(type, NLM_F_DUMP, header);
  if (attribute != 0) request.put(attribute, value);
  request.ask(socket_file);
  for (std::size_t count = 0;;) {
    auto left = static_cast<unsigned>(must(static_cast<int>(recv(socket_file, answer.data(), answer.size(), 0)), "recv"));
    for (const auto* head = reinterpret_cast<const nlmsghdr*>(answer.data()); NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
      if (head->nlmsg_type == NLMSG_DONE) return count;
      if (head->nlmsg_type == NLMSG_ERROR) die("dump", -static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error);
      ++count;
    }
  }
}

/// Returns how many interfaces there are.
std::size_t read_namespace(int socket_file) {
  const std::size_t links = dump(socket_file, RTM_GETLINK, interface(0), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  dump(socket_file, RTM_GETADDR, ifaddrmsg{});
  rtmsg route{};
  route.rtm_family = AF_INET;
  dump(socket_file, RTM_GETROUTE, route, RTA_TABLE, RT_TABLE_MAIN);
  fib_rule_hdr rule{};
  rule.family = AF_INET;
  dump(socket_file, RTM_GETRULE, rule);
  return links;
}

void read_all(const Model& model, int host_file, int host) {
  if (read_namespace(host) < model.namespaces.size() + model.bridges.size()) die("an interface is missing", ENODEV);
  for (const auto& ns : model.namespaces) {
    const int file = must(open((netns_folder + ns.name).c_str(), O_RDONLY | O_CLOEXEC), ns.name);
    must(setns(file, CLONE_NEWNET), ns.name);
    const int socket_file = open_netlink();
    if (read_namespace(socket_file) < 2) die(ns.name + " has no cable", ENODEV);
    close(socket_file);
    close(file);
  }
  must(setns(host_file, CLONE_NEWNET), "setns");
  const Table filter("filter"), nat("nat");
}

// --- change and destroy ---

/// What a tool without a memory cannot do without: everything read, then what is different written.
void change(const Model& before, const Model& after, int host_file, int host) {
  read_all(before, host_file, host);
  for (std::size_t i = 0; i < after.namespaces.size(); ++i) {
    const Namespace &was = before.namespaces.at(i), &ns = after.namespaces[i];
    if (was.address.s_addr == ns.address.s_addr) continue;
    must(setns(must(open((netns_folder + ns.name).c_str(), O_RDONLY | O_CLOEXEC), ns.name), CLONE_NEWNET), ns.name);
    Batch batch;
    put_address(batch, RTM_DELADDR, cable_index, was.address);
    put_address(batch, RTM_NEWADDR, cable_index, ns.address);
    put_default_route(batch, ns.gateway);
    batch.send_to(open_netlink());
  }
  must(setns(host_file, CLONE_NEWNET), "setns");
  replace_filter(after);
  replace_nat(after);
}

void destroy(const Model& model, int host) {
  replace_filter({});
  replace_nat({});
  Batch batch;
  batch.begin(RTM_DELLINK, 0, interface(0));
  batch.put(IFLA_GROUP, group);
  batch.send_to(host);
  for (const auto& ns : model.namespaces) {
    const std::string path = netns_folder + ns.name;
    must(umount2(path.c_str(), MNT_DETACH), path);
    must(unlink(path.c_str()), path);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view step = argc > 2 ? argv[1] : "";
  if (argc != (step == "change" ? 4 : 3)) die("usage: topo_floor create|read|destroy MODEL, topo_floor change MODEL CHANGED-MODEL", EINVAL);
  // It flushes iptables' own chains.
  if (!std::filesystem::exists(netns_folder + "world")) die("this is not the private host of tests/host/sandbox", EPERM);
  const rlimit files{65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  const int host_file = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "namespace");
  const int host = open_netlink();
  Model model = read_model(argv[2]);
  if (step == "create") create(model, host_file, host);
  if (step == "read") read_all(model, host_file, host);
  if (step == "change") change(model, read_model(argv[3]), host_file, host);
  if (step == "destroy") destroy(model, host);
  // The end of the process closes what is open.
}
