// Talking to one network namespace by netlink (rtnetlink mostly): batches of requests, single questions, dumps.
#pragma once

#include <cerrno>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "kernel/message.hpp"
#include "topo/error.hpp"

struct nl_sock;

namespace topo::kernel {

/// An Error for a failed call; EPERM and what the kernel lacks are Exit::unsupported. `error` is an errno, `words` the kernel's own beside it.
[[nodiscard]] Error kernel_error(std::string what, int error, const std::string& words = {});

/// Requests for one namespace, carried out in their order.
class Batch {
 public:
  struct Request {
    Message message;
    std::string what;           ///< what it is for, in the words of an Error: "cannot create bridge frontend"
    std::vector<int> accepted;  ///< refusals (errno) that mean it was so already
    bool joined = false;        ///< goes to the kernel in one system call with the request before it, so that no kill comes between
  };
  void add(Message message, std::string what, std::initializer_list<int> accepted = {}) {
    requests_.push_back({std::move(message), std::move(what), accepted, false});
  }
  void join(Message message, std::string what) { requests_.push_back({std::move(message), std::move(what), {}, true}); }
  [[nodiscard]] bool empty() const { return requests_.empty(); }
  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }
  void clear() { requests_.clear(); }

 private:
  std::vector<Request> requests_;
};

/// A netlink socket in one namespace, opened when first needed. It stays in that namespace whatever namespace its user is in, and keeps
/// the namespace alive. After any failure to send or receive it is closed, and opened again at the next use, so that no late
/// answer can be taken for another's.
class Channel {
 public:
  /// Both descriptors must outlive it: the namespace, and the one the calling thread is in. `protocol`: NETLINK_ROUTE where left out.
  Channel(int netns_fd, int home_fd, int protocol = 0) : netns_fd_(netns_fd), home_fd_(home_fd), protocol_(protocol) {}

  /// Opens the socket in the namespace that the calling thread is in at this moment, which must be that of `netns_fd`.
  [[nodiscard]] Result<void> open_here();
  void close() { socket_.reset(); }

  /// Carries out the requests. On a refusal that is not accepted the window of requests it is in is still carried out, and nothing after;
  /// the Error has the first refusal, with the kernel's extended acknowledgement, and the others as details.
  /// `between` is asked with the number of requests done before each window; its error ends the work.
  [[nodiscard]] Result<void> perform(const Batch& batch, const std::function<Result<void>(std::size_t)>& between = {});

  using Sink = std::function<void(nlmsghdr*)>;
  /// One question with one answer. False: the kernel has no such object (ENODEV, ENOENT), or nothing of that family (EOPNOTSUPP, EAFNOSUPPORT).
  [[nodiscard]] Result<bool> ask(const Message& question, const Sink& sink);
  /// A dump; `restart` is called before each attempt, since the kernel may find that its tables changed meanwhile.
  [[nodiscard]] Result<void> dump(const Message& question, const std::function<void()>& restart, const Sink& sink);

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  [[nodiscard]] Result<void> ready();
  [[nodiscard]] Result<void> send(const std::vector<nlmsghdr*>& messages);
  /// Calls `sink` for each message of one datagram; false from it ends the reading.
  [[nodiscard]] Result<void> receive(const std::function<bool(nlmsghdr*)>& sink);
  [[nodiscard]] Result<void> perform_window(const std::vector<Batch::Request>& requests, std::size_t first, std::size_t end);
  [[nodiscard]] Error broken(const std::string& what, int error);

  int netns_fd_;
  int home_fd_;
  int protocol_;
  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace topo::kernel
