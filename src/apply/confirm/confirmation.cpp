#include "apply/confirm/confirmation.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <thread>

#include "vocabulary/fields.hpp"
#include "apply/locks.hpp"
#include "apply/confirm/rendezvous.hpp"

namespace topo {
namespace {

using Clock = std::chrono::steady_clock;
using State = Confirmation::State;
using What = rendezvous::Found::What;

constexpr std::chrono::milliseconds patience{5000};  // for a first answer, which a process gives at once
constexpr std::chrono::milliseconds pause{20};
/// Where the folder was emptied, or a note is just taking the socket's place, something is there again after a tenth of a second.
constexpr std::chrono::milliseconds tolerated_absence{1000};
constexpr int most_attempts = 100;

struct Question {
  std::string words;
  bool awaits_outcome = false;  ///< not only the first answer, where that is "being taken back"
  std::function<bool()> stop;
};

/// Asks the process at the other end of `socket`. nullopt: it ended without an answer.
std::optional<Confirmation> ask(const kernel::FileDescriptor& socket, const Question& question) {
  Confirmation silent{State::silent, {}, 0, 0, {}};
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) silent.process = peer.pid;
  if (::send(socket.get(), question.words.data(), question.words.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  std::string answer;
  std::optional<Confirmation> heard;
  for (const auto deadline = Clock::now() + patience;;) {
    std::string_view rest = answer;
    while (auto said = take_message(rest)) heard = std::move(said);
    answer.erase(0, answer.size() - rest.size());
    if (heard && (heard->state != State::taking_back || !question.awaits_outcome)) return heard;
    if ((question.stop && question.stop()) || (!heard && Clock::now() >= deadline)) return heard ? heard : silent;
    pollfd ready{socket.get(), POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(pause.count())) <= 0) continue;
    std::array<char, 4096> block{};
    const ssize_t got = ::recv(socket.get(), block.data(), block.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    answer.append(block.data(), static_cast<std::size_t>(got));
  }
}

/// What is known now, the process that holds the earlier state having been asked, if there is one. For `absence` nothing there is not believed.
Confirmation look(const std::string& topology, const std::string& folder, const Question& question, std::chrono::milliseconds absence) {
  const auto deadline = Clock::now() + absence;
  for (int attempt = 0; attempt < most_attempts;) {
    const auto found = rendezvous::find(folder, topology);
    if (found.what == What::note) return {State::taken_back, {}, found.written, 0, {}};
    if (found.what == What::nothing && Clock::now() >= deadline) return {};
    if (found.what == What::socket) {
      ++attempt;
      const auto socket = rendezvous::connect(folder, topology);
      const int problem = socket ? 0 : errno;
      if (auto heard = socket ? ask(socket, question) : std::nullopt) return *std::move(heard);
      if (problem == EAGAIN) break;  // others wait there already, and for as long
      if (problem == ECONNREFUSED && rendezvous::find(folder, topology).inode == found.inode) return {State::abandoned, {}, 0, 0, {}};
      // It has just ended, and what it leaves says how.
    }
    std::this_thread::sleep_for(pause);
  }
  return {State::silent, {}, 0, 0, {}};
}

/// The same, where nothing is done any more by what a killed process may have left running: that is under the locks until it ends.
Result<Confirmation> look_under_locks(const std::string& topology, const DemandOptions& options, bool keeps) {
  const auto locks = Locks::take(options.folder, topology, options.lock_timeout, options.stop);
  if (!locks) return locks.error();
  auto known = confirmation_of(topology, options.folder);
  if (keeps && known.state == State::abandoned) {
    if (auto cleared = rendezvous::clear(options.folder, topology); !cleared) return std::move(cleared).error();
  }
  return known;
}

Result<Confirmation> demand(const std::string& topology, const Question& question, const DemandOptions& options, bool keeps) {
  auto known = look(topology, options.folder, question, tolerated_absence);
  if (known.state == State::abandoned) return look_under_locks(topology, options, keeps);
  return known;
}

}  // namespace

std::string to_message(const Confirmation& confirmation) {
  std::string fields, message;
  for (const std::int64_t number :
       {static_cast<std::int64_t>(confirmation.state), std::int64_t{confirmation.left.count()}, std::int64_t{confirmation.when}, std::int64_t{confirmation.process}})
    append_field(fields, std::to_string(number));
  if (confirmation.trouble) append_field(fields, *confirmation.trouble);
  append_field(message, fields);
  return message;
}

std::optional<Confirmation> take_message(std::string_view& in) {
  const auto fields = take_field(in);
  if (!fields) return std::nullopt;
  std::string_view rest = *fields;
  const auto state = take_number(rest), left = take_number(rest), when = take_number(rest), process = take_number(rest);
  if (!state || !left || !when || !process || *state < 0 || *state > static_cast<std::int64_t>(State::silent)) return std::nullopt;
  return Confirmation{static_cast<State>(*state), std::chrono::milliseconds(*left), *when, static_cast<int>(*process), take_error(rest)};
}

Confirmation confirmation_of(const std::string& topology, const std::string& folder) {
  return look(topology, folder, {"tell\n", false, {}}, std::chrono::milliseconds(0));
}

std::optional<Error> pending_error(const std::string& topology, const std::string& folder) {
  if (rendezvous::find(folder, topology).what != What::socket) return std::nullopt;
  // That it lives is enough, were it too busy to answer; EAGAIN says that others wait for it already.
  if (!rendezvous::connect(folder, topology) && errno != EAGAIN) return std::nullopt;
  return Error{Exit::conflict,
               "the last change of " + topology + " is not confirmed yet; nothing was touched",
               {},
               {},
               "topo confirm " + topology + " keeps it, topo rollback " + topology + " takes it back",
               {}};
}

Result<Confirmation> keep_change(const std::string& topology, const DemandOptions& options) {
  return demand(topology, {"keep\n", true, options.stop}, options, true);
}

Result<Confirmation> take_change_back(const std::string& topology, const DemandOptions& options) {
  return demand(topology, {"take back " + std::to_string(options.lock_timeout.count()) + "\n", true, options.stop}, options, false);
}

}  // namespace topo
