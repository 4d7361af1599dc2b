#include "apply/confirm/guard_process.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <vector>

#include "apply/confirm/confirmation.hpp"
#include "vocabulary/fields.hpp"
#include "apply/confirm/rendezvous.hpp"
#include "apply/confirm/system_log.hpp"

namespace topo {
namespace {

using std::chrono::milliseconds;
using State = Confirmation::State;
using What = rendezvous::Found::What;

/// It looks at the clock and after its place so often at least: poll(2)'s own clock stands still while the machine is suspended.
constexpr milliseconds pause{100};
constexpr milliseconds first_retry{1'000}, last_retry{30'000};
constexpr timeval client_patience{2, 0};

volatile std::sig_atomic_t told_to_end = 0;

milliseconds now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(time.tv_nsec));
}

/// Somebody who asks, and what.
struct Client {
  enum class Demand { none, tell, keep, take_back };
  kernel::FileDescriptor socket;
  Demand demand = Demand::none;
  milliseconds lock_timeout{0};
  bool told_to_wait = false;
  bool gone = false;

  explicit Client(int fd) : socket(fd) { ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &client_patience, sizeof client_patience); }

  void hear() {
    std::array<char, 64> block{};
    const ssize_t got = ::recv(socket.get(), block.data(), block.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const std::string_view words(block.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    constexpr std::string_view back = "take back ";
    if (words == "tell\n") demand = Demand::tell;
    if (words == "keep\n") demand = Demand::keep;
    std::int64_t count = 0;
    if (words.starts_with(back) && std::from_chars(words.data() + back.size(), words.data() + words.size(), count).ec == std::errc()) {
      demand = Demand::take_back;
      lock_timeout = milliseconds(count);
    }
    gone = demand == Demand::none;
  }

  void tell(const Confirmation& confirmation) const {
    const std::string message = to_message(confirmation);
    for (std::string_view rest = message; !rest.empty();) {
      const ssize_t sent = ::send(socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
};

class Process {
 public:
  Process(kernel::FileDescriptor line, kernel::FileDescriptor listener, const Earlier& earlier, const Guard::KernelsThatWait& kernels, const Guard::Options& options)
      : line_(std::move(line)),
        listener_(std::move(listener)),
        earlier_(earlier),
        kernels_(kernels),
        options_(options),
        topology_(earlier.graph.topology()),
        place_(rendezvous::find(options.folder, topology_).inode) {}

  [[noreturn]] void run() {
    say(Word::ready);
    for (;;) {
      try {
        turn();
      } catch (const std::exception&) {  // no memory; there may be some for a later turn
        ::poll(nullptr, 0, static_cast<int>(pause.count()));
      }
    }
  }

 private:
  void turn() {
    wait();
    hear_line();
    hear_clients();
    if (way_back_) {
      if (auto outcome = way_back_->outcome()) conclude(*outcome);
    }
    for (auto& client : clients_) answer(client);
    clients_.erase(std::remove_if(clients_.begin(), clients_.end(), [](const Client& client) { return client.gone; }), clients_.end());
    if (way_back_ || applying_) return;
    if (told_to_end != 0) due_ = now();
    told_to_end = 0;
    if (now() >= due_) {
      set_out(options_.lock_timeout);
    } else {
      stay_in_place();
    }
  }

  void wait() {
    std::vector<pollfd> ready{{listener_.get(), POLLIN, 0}};
    if (line_) ready.push_back({line_.get(), POLLIN, 0});
    if (way_back_) ready.push_back({way_back_->fd(), POLLIN, 0});
    for (const auto& client : clients_) {
      if (client.demand == Client::Demand::none) ready.push_back({client.socket.get(), POLLIN, 0});
    }
    const auto left = applying_ || way_back_ ? pause : std::clamp(due_ - now(), milliseconds(0), pause);
    ::poll(ready.data(), ready.size(), static_cast<int>(left.count()));
  }

  void say(Word word) const {
    const char byte = static_cast<char>(word);
    (void)::send(line_.get(), &byte, 1, MSG_NOSIGNAL);
  }

  void hear_line() {
    if (!line_) return;
    char byte = 0;
    const ssize_t got = ::recv(line_.get(), &byte, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const auto word = static_cast<Word>(got == 1 ? byte : '\0');
    if (word == Word::dismissed) {
      leave_place();
      ::_exit(0);
    }
    if (word == Word::armed) {
      due_ = now() + options_.time;
      say(Word::armed);
      log(LOG_NOTICE, "changed; taken back in " + std::to_string(options_.time.count()) + " ms unless it is confirmed");
    } else {
      line_.reset();
      if (!applying_) return;
      due_ = now();
      log(LOG_WARNING, "the topo that was changing it was killed; what it did is taken back");
    }
    applying_ = false;
  }

  void hear_clients() {
    for (int fd = 0; (fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) clients_.emplace_back(fd);
    for (auto& client : clients_) {
      if (client.demand == Client::Demand::none) client.hear();
    }
  }

  /// What is to be said of the change now.
  [[nodiscard]] Confirmation known() const {
    if (applying_) return {State::applying, {}, 0, ::getpid(), {}};
    if (way_back_) return {State::taking_back, {}, 0, ::getpid(), trouble_};
    return {State::waiting, std::max(due_ - now(), milliseconds(0)), 0, ::getpid(), trouble_};
  }

  /// This is where it is decided who is first: one after another they are answered, and a way back that has begun is waited for.
  void answer(Client& client) {
    using Demand = Client::Demand;
    if (client.gone || client.demand == Demand::none) return;
    if (!applying_ && !way_back_) {
      if (client.demand == Demand::keep) keep(client);
      if (client.demand == Demand::take_back && !client.told_to_wait) set_out(client.lock_timeout);
    }
    const bool waits = way_back_ && client.demand != Demand::tell;
    if (!waits || !client.told_to_wait) client.tell(known());
    client.told_to_wait = waits;
    client.gone = !waits;
  }

  [[noreturn]] void keep(const Client& client) const {
    leave_place();
    client.tell({State::kept, {}, 0, 0, half_way_});
    log(LOG_NOTICE, "confirmed");
    ::_exit(0);
  }

  void set_out(milliseconds lock_timeout) {
    auto way_back = WayBack::begin(earlier_, kernels_(lock_timeout), options_.folder, lock_timeout);
    if (way_back) {
      way_back_ = *std::move(way_back);
    } else {
      fail(std::move(way_back).error());
    }
  }

  void conclude(const Result<void>& outcome) {
    way_back_.reset();
    if (!outcome) return fail(outcome.error());
    leave_place();  // where that could not be noted
    const Confirmation taken_back{State::taken_back, {}, ::time(nullptr), 0, {}};
    for (const auto& client : clients_) {
      if (client.demand != Client::Demand::none) client.tell(taken_back);
    }
    log(LOG_NOTICE, "taken back, as it was not confirmed");
    ::_exit(0);
  }

  void fail(Error error) {
    if (error.exit == Exit::left_over) half_way_ = error;
    const bool is_news = !trouble_ || trouble_->to_string() != error.to_string();
    trouble_ = std::move(error);
    due_ = now() + retry_;
    retry_ = std::min(2 * retry_, last_retry);
    if (is_news) log(LOG_ERR, "cannot be taken back yet: " + trouble_->to_string());
  }

  /// Where somebody emptied the folder, it is found there again. Where another has the place by now, a later change waits to be confirmed, which was
  /// made on top of this one: going back from there is that one's.
  void stay_in_place() {
    const auto found = rendezvous::find(options_.folder, topology_);
    if (found.what == What::socket && found.inode == place_) return;
    if (found.what == What::socket && rendezvous::connect(options_.folder, topology_)) {
      log(LOG_WARNING, "left as it is: another change waits to be confirmed");
      ::_exit(0);
    }
    auto listener = rendezvous::listen(options_.folder, topology_);
    if (!listener) return;
    listener_ = *std::move(listener);
    place_ = rendezvous::find(options_.folder, topology_).inode;
  }

  void leave_place() const {
    const auto found = rendezvous::find(options_.folder, topology_);
    if (found.what == What::socket && found.inode == place_) (void)rendezvous::clear(options_.folder, topology_);
  }

  void log(int severity, const std::string& text) const { tell_system_log(severity, topology_ + ": " + text); }

  kernel::FileDescriptor line_;
  kernel::FileDescriptor listener_;
  const Earlier& earlier_;
  const Guard::KernelsThatWait& kernels_;
  const Guard::Options& options_;
  std::string topology_;
  std::uint64_t place_;  ///< the inode of its socket
  bool applying_ = true;
  milliseconds due_{0};  ///< on now()'s clock
  milliseconds retry_ = first_retry;
  std::vector<Client> clients_;
  std::optional<WayBack> way_back_;
  std::optional<Error> trouble_;   ///< why the last try failed
  std::optional<Error> half_way_;  ///< since a try that left something: what
};

}  // namespace

void guard(kernel::FileDescriptor line, const Earlier& earlier, const Guard::KernelsThatWait& kernels, const Guard::Options& options) {
  struct sigaction action {};
  action.sa_handler = [](int) { told_to_end = 1; };
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  auto listener = rendezvous::listen(options.folder, earlier.graph.topology());
  if (listener) Process(std::move(line), *std::move(listener), earlier, kernels, options).run();
  std::string problem;
  append_field(problem, listener.error());
  (void)kernel::write_all(line.get(), problem);
  ::_exit(1);
}

}  // namespace topo
