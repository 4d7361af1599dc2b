// Loaded into topo by LD_PRELOAD (tests/packet/refusal.py): stands where the kernel's answers by netlink are read, and refuses what it is told to.
//
// TOPO_REFUSE  points, separated by blanks: PROTOCOL:TYPE:NUMBER[+]:ERROR:KIND
//              the NUMBER-th request of that type on sockets of that protocol (NETLINK_*), with + all further ones too, gets a refusal with ERROR
//              (errno). KIND `undone`: the kernel never sees the request. `done`: the kernel carries it out, and the answer is a refusal all the same, as
//              of a change that was half made.
// TOPO_REFUSED a file to which each request is written, "PROTOCOL TYPE NUMBER change|question", and "refused" behind those that were.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

struct Point {
  int protocol = 0, type = 0, number = 0, error = 0;
  bool lasting = false, done = false;
};

std::vector<Point> read_points() {
  std::vector<Point> points;
  const char* text = std::getenv("TOPO_REFUSE");
  std::istringstream words(text == nullptr ? "" : text);
  for (std::string word; words >> word;) {
    Point point;
    char more[8] = {}, kind[8] = {};
    const bool single = std::sscanf(word.c_str(), "%d:%d:%d:%d:%7s", &point.protocol, &point.type, &point.number, &point.error, kind) == 5;
    if (!single && std::sscanf(word.c_str(), "%d:%d:%d%1[+]:%d:%7s", &point.protocol, &point.type, &point.number, more, &point.error, kind) != 6) {
      std::fprintf(stderr, "TOPO_REFUSE holds no point: %s\n", word.c_str());
      std::abort();
    }
    point.lasting = !single;
    point.done = std::strcmp(kind, "done") == 0;
    points.push_back(point);
  }
  return points;
}

/// A refusal that the program has not read yet.
struct Refusal {
  nlmsghdr request{};
  int error = 0;
  bool done = false;
  bool last = false;  ///< what the program waits for: an answer or an acknowledgement, where the kernel says nothing of what it has done otherwise
};

/// Questions are answered; RTM_GET*, IPCTNL_MSG_CT_GET* (without the subsystem), and all that NETLINK_SOCK_DIAG knows.
bool is_question(int protocol, int type) {
  if (protocol == NETLINK_ROUTE) return (type & 3) == 2;
  const int message = type & 0xff;
  return protocol == NETLINK_SOCK_DIAG || message == 1 || message == 4 || message == 5;
}

std::map<int, std::deque<Refusal>>& unread() {
  static std::map<int, std::deque<Refusal>> all;
  return all;
}

/// The protocol of a netlink socket; -1: none.
int protocol_of(int fd) {
  int domain = 0, protocol = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_NETLINK) return -1;
  size = sizeof protocol;
  return ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 ? protocol : -1;
}

void note(int protocol, const nlmsghdr& request, int number, bool refused) {
  static const char* const path = std::getenv("TOPO_REFUSED");
  if (path == nullptr) return;
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dprintf(fd, "%d %d %d %s%s\n", protocol, request.nlmsg_type, number, is_question(protocol, request.nlmsg_type) ? "question" : "change",
            refused ? " refused" : "");
  ::close(fd);
}

/// Counts a request; the point that it is, or nullptr.
const Point* reached(int protocol, const nlmsghdr& request) {
  static const std::vector<Point> points = read_points();
  static std::map<std::pair<int, int>, int> counts;
  const int number = ++counts[{protocol, request.nlmsg_type}];
  const auto found = std::find_if(points.begin(), points.end(), [&](const Point& point) {
    return point.protocol == protocol && point.type == request.nlmsg_type && (point.number == number || (point.lasting && number > point.number));
  });
  note(protocol, request, number, found != points.end());
  return found == points.end() ? nullptr : &*found;
}

/// Puts `refusal` where recvmsg would have put the kernel's message.
ssize_t answer(const Refusal& refusal, msghdr* message) {
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } told{};
  told.header = {sizeof told, NLMSG_ERROR, NLM_F_CAPPED, refusal.request.nlmsg_seq, refusal.request.nlmsg_pid};
  told.error = {-refusal.error, refusal.request};
  std::memcpy(message->msg_iov[0].iov_base, &told, sizeof told);
  if (message->msg_name != nullptr) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    std::memcpy(message->msg_name, &kernel, sizeof kernel);
  }
  message->msg_flags = 0;
  return sizeof told;
}

/// Turns an acknowledgement of the refused request into the refusal; false: the datagram is something else.
bool turn(const Refusal& refusal, const msghdr* message, ssize_t size) {
  nlmsghdr header{};
  int error = 0;
  char* const at = static_cast<char*>(message->msg_iov[0].iov_base);
  if (size < static_cast<ssize_t>(sizeof header + sizeof error)) return false;
  std::memcpy(&header, at, sizeof header);
  if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq != refusal.request.nlmsg_seq) return false;
  std::memcpy(&error, at + sizeof header, sizeof error);
  if (error == 0) error = -refusal.error;
  std::memcpy(at + sizeof header, &error, sizeof error);
  return true;
}

}  // namespace

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  static auto* const real = next<ssize_t(int, const msghdr*, int)>("sendmsg");
  const int protocol = protocol_of(fd);
  if (protocol < 0) return real(fd, message, flags);
  auto& refusals = unread()[fd];
  refusals.clear();  // the number may have been another socket's
  std::vector<iovec> heard;
  ssize_t size = 0;
  // topo gives each request a part of its own.
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    const iovec& part = message->msg_iov[i];
    nlmsghdr request{};
    std::memcpy(&request, part.iov_base, sizeof request);
    size += static_cast<ssize_t>(part.iov_len);
    const Point* const point = reached(protocol, request);
    if (point != nullptr) refusals.push_back({request, point->error, point->done, (request.nlmsg_flags & NLM_F_ACK) != 0 || is_question(protocol, request.nlmsg_type)});
    if (point == nullptr || point->done) heard.push_back(part);
  }
  if (heard.empty()) return size;
  msghdr rest = *message;
  rest.msg_iov = heard.data();
  rest.msg_iovlen = heard.size();
  return real(fd, &rest, flags) < 0 ? -1 : size;
}

extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const real = next<ssize_t(int, msghdr*, int)>("recvmsg");
  const auto found = unread().find(fd);
  if (found == unread().end() || found->second.empty()) return real(fd, message, flags);
  auto& refusals = found->second;
  const Refusal refusal = refusals.front();
  if (!refusal.last) {
    refusals.pop_front();
    return answer(refusal, message);
  }
  // What the requests before it were told comes first; the kernel has carried out all that it saw when they had been sent.
  const ssize_t size = real(fd, message, flags | (refusal.done ? 0 : MSG_DONTWAIT));
  if (refusal.done) {
    if (size < 0 || turn(refusal, message, size)) refusals.pop_front();
    return size;
  }
  if (size >= 0 || errno != EAGAIN) return size;
  refusals.pop_front();
  return answer(refusal, message);
}
