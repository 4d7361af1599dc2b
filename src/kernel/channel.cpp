#include "kernel/channel.hpp"

#include <linux/netlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "kernel/netns.hpp"

namespace topo::kernel {
namespace {

// Small enough for a socket with the kernel's default buffers: a refusal costs some 830 bytes of the receive buffer.
constexpr std::size_t window_requests = 64;
constexpr std::size_t window_bytes = 32 * 1024;
constexpr int receive_buffer_bytes = 4 * 1024 * 1024;
constexpr timeval answer_timeout{10, 0};
constexpr int dump_attempts = 10;

constexpr std::size_t read_buffer_bytes = 256 * 1024;

/// Not cleared: most answers are short, and so most of its pages are never touched.
char* read_buffer() {
  static thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(read_buffer_bytes);
  return buffer.get();
}

/// The kernel's verdict on one request.
struct Verdict {
  int error = 0;
  std::string words;
};

Verdict verdict_of(nlmsghdr* header) {
  const auto* error = static_cast<const nlmsgerr*>(nlmsg_data(header));
  Verdict verdict{-error->error, {}};
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return verdict;
  const bool capped = (header->nlmsg_flags & NLM_F_CAPPED) != 0;
  const auto fixed = static_cast<int>(sizeof(nlmsgerr) + (capped ? 0 : error->msg.nlmsg_len - NLMSG_HDRLEN));
  if (const nlattr* text = nlmsg_find_attr(header, fixed, NLMSGERR_ATTR_MSG)) verdict.words = std::string(nla_get_string(text));
  return verdict;
}

std::string words_of(int error, const std::string& words) {
  return words.empty() ? std::strerror(error) : std::string(std::strerror(error)) + ": " + words;
}

}  // namespace

Error kernel_error(std::string what, int error, const std::string& words) {
  Error failure{Exit::rolled_back, std::move(what), {}, words_of(error, words), {}, {}};
  if (error == EPERM) {
    failure.exit = Exit::unsupported;
    failure.remedy = "run topo as root";
  } else if (error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EPROTONOSUPPORT) {
    failure.exit = Exit::unsupported;
  }
  return failure;
}

void Channel::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Error Channel::broken(const std::string& what, int error) {
  close();
  return kernel_error(what, error);
}

Result<void> Channel::open_here() {
  FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol_));
  if (!fd) return kernel_error("cannot open a netlink socket", errno);
  const int on = 1;
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    if (::setsockopt(fd.get(), SOL_NETLINK, option, &on, sizeof on) != 0) return kernel_error("cannot prepare a netlink socket", errno);
  }
  // SO_RCVBUFFORCE is refused outside the initial user namespace; the windows are small enough for what SO_RCVBUF then gives.
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes, sizeof receive_buffer_bytes) != 0) {
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &answer_timeout, sizeof answer_timeout) != 0) {
    return kernel_error("cannot prepare a netlink socket", errno);
  }
  socket_.reset(nl_socket_alloc());
  if (!socket_ || nl_socket_set_fd(socket_.get(), protocol_, fd.get()) != 0) return broken("cannot prepare a netlink socket", ENOMEM);
  (void)fd.release();
  return {};
}

Result<void> Channel::ready() {
  if (socket_) return {};
  auto inside = Inside::enter(netns_fd_, home_fd_);
  if (!inside) return std::move(inside).error();
  return open_here();
}

Result<void> Channel::send(const std::vector<nlmsghdr*>& messages) {
  std::vector<iovec> parts;
  std::size_t size = 0;
  for (nlmsghdr* message : messages) {
    // The padding between two messages lies in the message's own buffer, which libnl allocates and aligns.
    parts.push_back({message, NLMSG_ALIGN(message->nlmsg_len)});
    size += NLMSG_ALIGN(message->nlmsg_len);
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  msghdr header{};
  header.msg_name = &kernel;
  header.msg_namelen = sizeof kernel;
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(nl_socket_get_fd(socket_.get()), &header, 0);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return broken("cannot send to the kernel", errno);
  if (static_cast<std::size_t>(sent) != size) return broken("cannot send to the kernel", EMSGSIZE);
  return {};
}

Result<void> Channel::receive(const std::function<bool(nlmsghdr*)>& sink) {
  for (;;) {
    char* const buffer = read_buffer();
    sockaddr_nl sender{};
    iovec part{buffer, read_buffer_bytes};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(nl_socket_get_fd(socket_.get()), &header, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return broken("cannot read the kernel's answer", errno == EAGAIN ? ETIMEDOUT : errno);
    if (size == 0) return broken("cannot read the kernel's answer", EPIPE);
    if ((header.msg_flags & MSG_TRUNC) != 0) return broken("cannot read the kernel's answer", EMSGSIZE);
    if (sender.nl_pid != 0) continue;  // only the kernel has that address
    int left = static_cast<int>(size);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer); nlmsg_ok(message, left) != 0; message = nlmsg_next(message, &left)) {
      if (!sink(message)) return {};
    }
  }
}

Result<void> Channel::perform(const Batch& batch, const std::function<Result<void>(std::size_t)>& between) {
  const auto& requests = batch.requests();
  std::size_t first = 0;
  while (first < requests.size()) {
    std::size_t end = first;
    std::size_t bytes = 0;
    while (end < requests.size()) {
      const std::size_t size = requests[end].message.header()->nlmsg_len;
      const bool joined_next = end + 1 < requests.size() && requests[end + 1].joined;
      const bool full = end - first + (joined_next ? 1U : 0U) >= window_requests || bytes + size > window_bytes;
      if (full && end > first && !requests[end].joined) break;
      bytes += size;
      ++end;
    }
    if (between) {
      if (auto go_on = between(first); !go_on) return go_on;
    }
    if (auto done = perform_window(requests, first, end); !done) return done;
    first = end;
  }
  return {};
}

Result<void> Channel::perform_window(const std::vector<Batch::Request>& requests, std::size_t first, std::size_t end) {
  if (auto opened = ready(); !opened) return opened;
  std::vector<nlmsghdr*> messages;
  std::uint32_t base = 0;
  for (std::size_t i = first; i < end; ++i) {
    if (!requests[i].message.fits()) return kernel_error(requests[i].what, EMSGSIZE);
    nlmsghdr* const message = requests[i].message.header();
    message->nlmsg_seq = nl_socket_use_seq(socket_.get());
    if (i == first) base = message->nlmsg_seq;
    if (i + 1 == end) message->nlmsg_flags |= NLM_F_ACK;
    messages.push_back(message);
  }
  if (auto sent = send(messages); !sent) {
    sent.error().where = requests[first].what;
    return sent;
  }
  std::vector<Verdict> verdicts(messages.size());
  bool stale = false;
  auto received = receive([&](nlmsghdr* message) {
    const std::size_t at = message->nlmsg_seq - base;
    stale = message->nlmsg_type != NLMSG_ERROR || at >= verdicts.size();
    if (stale) return false;
    verdicts[at] = verdict_of(message);
    return at + 1 != verdicts.size();  // the last request's acknowledgement is the barrier
  });
  if (received && stale) received = broken("the kernel answered out of order", EPROTO);
  if (!received) {
    received.error().where = requests[first].what;
    return received;
  }
  std::optional<Error> failure;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto& [message, what, accepted, joined] = requests[first + i];
    const int error = verdicts[i].error;
    if (error == 0 || std::find(accepted.begin(), accepted.end(), error) != accepted.end()) continue;
    if (!failure) {
      failure = kernel_error(what, error, verdicts[i].words);
    } else {
      failure->details.push_back(what + ": " + words_of(error, verdicts[i].words));
    }
  }
  if (failure) return std::move(*failure);
  return {};
}

Result<bool> Channel::ask(const Message& question, const Sink& sink) {
  if (auto opened = ready(); !opened) return std::move(opened).error();
  nlmsghdr* const message = question.header();
  message->nlmsg_seq = nl_socket_use_seq(socket_.get());
  if (auto sent = send({message}); !sent) return std::move(sent).error();
  int error = 0;
  bool stale = false;
  Verdict verdict;
  auto received = receive([&](nlmsghdr* answer) {
    stale = answer->nlmsg_seq != message->nlmsg_seq;
    if (stale) return false;
    if (answer->nlmsg_type == NLMSG_ERROR) {
      verdict = verdict_of(answer);
      error = verdict.error;
    } else {
      sink(answer);
    }
    return false;
  });
  if (received && stale) received = broken("the kernel answered out of order", EPROTO);
  if (!received) return std::move(received).error();
  if (error == ENODEV || error == ENOENT || error == EOPNOTSUPP || error == EAFNOSUPPORT) return false;
  if (error != 0) return kernel_error("cannot read from the kernel", error, verdict.words);
  return true;
}

Result<void> Channel::dump(const Message& question, const std::function<void()>& restart, const Sink& sink) {
  for (int attempt = 0; attempt < dump_attempts; ++attempt) {
    if (auto opened = ready(); !opened) return opened;
    nlmsghdr* const message = question.header();
    message->nlmsg_flags |= NLM_F_DUMP;
    message->nlmsg_seq = nl_socket_use_seq(socket_.get());
    restart();
    if (auto sent = send({message}); !sent) return sent;
    int error = 0;
    bool stale = false;
    bool changed = false;
    auto received = receive([&](nlmsghdr* answer) {
      stale = answer->nlmsg_seq != message->nlmsg_seq;
      if (stale) return false;
      changed = changed || (answer->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (answer->nlmsg_type == NLMSG_ERROR) error = verdict_of(answer).error;
      if (answer->nlmsg_type == NLMSG_DONE && nlmsg_datalen(answer) >= static_cast<int>(sizeof(int))) {
        std::memcpy(&error, nlmsg_data(answer), sizeof error);
        error = -error;
      }
      if (answer->nlmsg_type == NLMSG_ERROR || answer->nlmsg_type == NLMSG_DONE) return false;
      sink(answer);
      return true;
    });
    if (received && stale) received = broken("the kernel answered out of order", EPROTO);
    if (!received) return received;
    if (error > 0) return kernel_error("cannot read from the kernel", error);
    if (!changed) return {};
  }
  return Error{Exit::rolled_back, "cannot read from the kernel", {}, "its tables change all the time", "try again", {}};
}

}  // namespace topo::kernel
